"""Write what is in the image: its bill of materials, in CycloneDX 1.6.

    python3 sbom.py FOLDER SITE_PACKAGES BASE > sbom.cdx.json

FOLDER holds `installed.json` (pip's --report, which has the hash of each wheel), the bundle's
`bundle.json` and `pyproject.toml`; BASE is the base image's reference. Runs while the image is
built and is not part of it. The same parts give the same bytes: no time, no random number.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

SPDX_IDS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "ZPL 2.1": "ZPL-2.1",
}
"""Licences as packages without an SPDX expression declare them; any other stops the build."""
DPKG_STATUS = Path("/var/lib/dpkg/status")
BASE = r"(.+?)(?::([\w.-]+))?(?:@sha256:([0-9a-f]{64}))?"
"""An image's name, tag and digest."""
VENDORED = r"^Name: (.+)\n(?:.+\n)*?License: (.+)$"
"""A library inside a wheel, as numpy's licence file lists those that it brings."""
Component = dict[str, Any]


class UnknownPartError(ValueError):
    """Something is installed that the bill cannot describe; the message says what to do."""


def document(folder: Path, site_packages: Path, base: str) -> dict[str, Any]:
    """The bill; raises UnknownPartError."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    application = _component("application", project["name"], project["version"])
    application["licenses"] = [{"expression": project["license"]}]
    components = [
        base_component(base),
        _component("platform", "python", platform.python_version())
        | {"licenses": [{"expression": "PSF-2.0"}]},
        *package_components(folder / "installed.json", site_packages),
        bundle_component(folder / "bundle.json"),
        *debian_components(),
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": application},
        "components": components,
        "dependencies": [
            {
                "ref": application["bom-ref"],
                "dependsOn": [component["bom-ref"] for component in components],
            }
        ],
    }


def base_component(base: str) -> Component:
    """The base image; without a hash where the reference has no digest."""
    match = re.fullmatch(BASE, base)
    assert match is not None
    name, tag, digest = match.groups()
    if digest is None:
        return _component("container", name, tag or "latest")
    purl = (
        f"pkg:oci/{name.rpartition('/')[2]}@sha256%3A{digest}"
        f"?repository_url={quote(name, safe='')}&tag={tag}"
    )
    return _component("container", name, tag or "", purl) | {"hashes": [_sha256(digest)]}


def package_components(report: Path, site_packages: Path) -> list[Component]:
    """The Python packages that are installed, by name; raises UnknownPartError."""
    entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    wheels = {
        (entry["metadata"]["name"], entry["metadata"]["version"]): entry["download_info"]
        for entry in entries
    }
    components = []
    for package in sorted(distributions(path=[str(site_packages)]), key=lambda each: each.name):
        wheel = wheels.get((package.name, package.version))
        if wheel is None:
            raise UnknownPartError(f"{package.name} {package.version} is not in pip's report")
        purl = f"pkg:pypi/{package.name.lower()}@{package.version}"
        component = _component("library", package.name, package.version, purl)
        component["hashes"] = [_sha256(wheel["archive_info"]["hashes"]["sha256"])]
        component["licenses"] = [{"expression": licence(package)}]
        component["components"] = [*vendored_components(package)]
        component["externalReferences"] = [*own_bills(package)]
        components.append(component)
    return components


def licence(package: Distribution) -> str:
    """The SPDX expression of a package's licence; raises UnknownPartError."""
    declared = package.metadata.get_all
    if expressions := declared("License-Expression"):
        return str(expressions[0])
    names = [*(declared("License") or ()), *(declared("Classifier") or ())]
    spdx_ids = [SPDX_IDS[name] for name in names if name in SPDX_IDS]
    if not spdx_ids:
        raise UnknownPartError(f"{package.name}: its licence is in none of {SPDX_IDS}; add it")
    return spdx_ids[0]


def vendored_components(package: Distribution) -> Iterator[Component]:
    """Libraries of others that a wheel brings, with their licences."""
    for file in package.files or ():
        if ".dist-info/licenses/" in str(file):
            for name, expression in re.findall(VENDORED, file.read_text(), re.MULTILINE):
                component = _component("library", name)
                component["bom-ref"] += f"@{package.name}"
                yield component | {"licenses": [{"expression": expression}]}


def own_bills(package: Distribution) -> Iterator[dict[str, Any]]:
    """Bills that a package brings of what was compiled into it (PEP 770)."""
    for file in package.files or ():
        if ".dist-info/sboms/" in str(file):
            url = Path(str(file.locate())).resolve().as_uri()
            sha256 = hashlib.sha256(file.read_binary()).hexdigest()
            yield {"type": "bom", "url": url, "hashes": [_sha256(sha256)]}


def bundle_component(manifest: Path) -> Component:
    """The bundle by its name and digest, with its files."""
    content = manifest.read_bytes()
    bundle, sha256 = json.loads(content), hashlib.sha256(content).hexdigest()
    component = _component("machine-learning-model", bundle["name"], sha256[:12])
    component["hashes"] = [_sha256(sha256)]
    component["components"] = [
        _component("file", name) | {"hashes": [_sha256(entry["sha256"])]}
        for name, entry in bundle["files"].items()
    ]
    return component


def debian_components() -> list[Component]:
    """The base's Debian packages; none on another system."""
    if not DPKG_STATUS.exists():
        return []
    distribution = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    components = []
    for entry in DPKG_STATUS.read_text(encoding="utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", entry, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version, machine = (fields[key] for key in ("Package", "Version", "Architecture"))
            purl = (
                f"pkg:deb/debian/{quote(name)}@{quote(version)}"
                f"?arch={machine}&distro={distribution}"
            )
            components.append(_component("library", name, version, purl))
    return components


def _component(kind: str, name: str, version: str = "", purl: str = "") -> Component:
    component = {"type": kind, "bom-ref": purl or f"{kind}/{name}", "name": name}
    return component | {
        key: value for key, value in (("version", version), ("purl", purl)) if value
    }


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def main(folder: Path, site_packages: Path, base: str) -> int:
    try:
        content = document(folder, site_packages, base)
    except UnknownPartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    json.dump(content, sys.stdout, separators=(",", ":"))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
