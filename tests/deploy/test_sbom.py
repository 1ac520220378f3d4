"""The bill of materials: valid CycloneDX, made of what pip installed, with a licence for each."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from function.sbom import DPKG_STATUS, licence, vendored_components
from model.bundle import read_bundle
from tests.deploy.locks import IMAGE_LOCK, read_lock, repacked
from tests.deploy.test_requirements import pip_install
from tests.deploy.test_start_command import DOCKERFILE
from tests.docs_text import ROOT, table_rows

(BASE,) = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)


@dataclass(frozen=True)
class Build:
    """What the image's build stage has before it writes the bill."""

    folder: Path
    wheels: dict[str, Path]

    def bill(self, base: str = BASE) -> subprocess.CompletedProcess[str]:
        script = [sys.executable, str(ROOT / "function" / "sbom.py")]
        return subprocess.run(
            [*script, str(self.folder), str(self.folder / "installed"), base],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


@pytest.fixture(scope="module")
def build(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The image's packages, installed by pip, which reports them; of each the metadata alone."""
    folder = tmp_path_factory.mktemp("build")
    wheels = {name: repacked(name, folder) for name in read_lock(IMAGE_LOCK)}
    done = pip_install(folder, "--report", str(folder / "installed.json"), *wheels)
    assert done.returncode == 0, done.stderr
    for file in (bundle_path / "bundle.json", ROOT / "pyproject.toml"):
        shutil.copyfile(file, folder / file.name)
    return Build(folder, wheels)


@pytest.fixture(scope="module")
def bill(build: Build) -> dict[str, Any]:
    done = build.bill()
    assert done.returncode == 0, done.stderr
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def of_kind(bill: dict[str, Any], purl: str) -> dict[str, dict[str, Any]]:
    """The components whose package URL begins so, by name."""
    return {
        component["name"]: component
        for component in bill["components"]
        if component.get("purl", "").startswith(purl)
    }


def test_the_packages_have_their_versions_hashes_and_licences(
    bill: dict[str, Any], build: Build
) -> None:
    packages = of_kind(bill, "pkg:pypi/")
    assert packages.keys() == build.wheels.keys()
    for name, entry in read_lock(IMAGE_LOCK).items():
        assert packages[name]["version"] == entry.version
        assert packages[name]["purl"] == f"pkg:pypi/{name}@{entry.version}"
        sha256 = hashlib.sha256(build.wheels[name].read_bytes()).hexdigest()
        assert packages[name]["hashes"] == [{"alg": "SHA-256", "content": sha256}]
        assert packages[name]["licenses"] == [{"expression": licence(distribution(name))}]


def test_what_a_wheel_brings_of_others_is_in_it(bill: dict[str, Any], build: Build) -> None:
    packages = of_kind(bill, "pkg:pypi/")
    brought = {component["name"] for component in packages["numpy"]["components"]}
    assert {"OpenBLAS", "libquadmath"} <= brought
    (reference,) = packages["tokenizers"]["externalReferences"]
    path = Path(reference["url"].removeprefix("file://"))
    assert json.loads(path.read_text())["bomFormat"] == "CycloneDX"
    assert reference["hashes"][0]["content"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_base_python_and_the_bundle_are_in_it(bill: dict[str, Any], bundle_path: Path) -> None:
    by_type = {component["type"]: component for component in bill["components"]}
    assert f"{by_type['container']['name']}:{by_type['container']['version']}@sha256:" in BASE
    assert BASE.endswith(by_type["container"]["hashes"][0]["content"])
    assert by_type["platform"]["version"] == sys.version.split()[0]
    bundle = by_type["machine-learning-model"]
    assert f"{bundle['name']}@{bundle['version']}" == read_bundle(bundle_path).identity
    for file in bundle["components"]:
        sha256 = hashlib.sha256((bundle_path / file["name"]).read_bytes()).hexdigest()
        assert file["hashes"][0]["content"] == sha256
    application = bill["metadata"]["component"]
    assert (application["name"], application["licenses"][0]["expression"]) == (
        "polyhead",
        "Apache-2.0",
    )
    (depends,) = bill["dependencies"]
    assert len(depends["dependsOn"]) == len(set(depends["dependsOn"])) == len(bill["components"])


@pytest.mark.skipif(not DPKG_STATUS.exists(), reason="no Debian")
def test_debians_packages_are_in_it(bill: dict[str, Any]) -> None:
    form = "${db:Status-Status} ${Package}=${Version}\\n"
    listed = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True)
    installed = set(re.findall(r"^installed (\S+)$", listed.stdout, re.MULTILINE))
    packages = of_kind(bill, "pkg:deb/debian/").values()
    assert {f"{package['name']}={package['version']}" for package in packages} == installed


def test_the_same_parts_give_the_same_bytes(bill: dict[str, Any], build: Build) -> None:
    assert build.bill().stdout == json.dumps(bill, separators=(",", ":"))


def test_a_base_without_a_digest_has_no_hash(build: Build) -> None:
    components = json.loads(build.bill("localhost:5000/base").stdout)["components"]
    (base,) = (component for component in components if component["type"] == "container")
    assert (base["name"], base["version"]) == ("localhost:5000/base", "latest")
    assert "hashes" not in base


def test_what_it_cannot_describe_stops_the_build(build: Build, tmp_path: Path) -> None:
    copied = Build(tmp_path / "build", {})
    shutil.copytree(build.folder, copied.folder)
    (metadata,) = copied.folder.glob("installed/waitress-*/METADATA")
    text = metadata.read_text()
    metadata.write_text(text.replace("License: ZPL 2.1", "License: Mine").replace("Zope", "My"))
    done = copied.bill()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: waitress: its licence is in none of {")
    metadata.write_text(text.replace("Version: 3", "Version: 4"))
    done = copied.bill()
    assert done.returncode == 1
    assert re.search(r"^error: waitress 4[\d.]+ is not in pip's report$", done.stderr)


def test_the_licences_are_documented() -> None:
    rows = table_rows("docs/deploy.md", "| part of the image | licence |")
    documented = {name.strip("`"): expression for name, expression in rows}
    expected = {"Polyhead": "Apache-2.0", "Python": "PSF-2.0"}
    for name, entry in read_lock(IMAGE_LOCK).items():
        package = distribution(name)
        assert package.version == entry.version
        expected[name] = licence(package)
        for component in vendored_components(package):
            expected[f"{component['name']}, in {name}"] = component["licenses"][0]["expression"]
    assert documented == expected
