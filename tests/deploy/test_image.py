"""The image, built by the pipeline's own step and started as Cloud Run would start it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from model.bundle import read_bundle
from tests.deploy.builder import Builder, missing
from tests.deploy.container import MEMORY_BYTES, Container, started
from tests.deploy.gcloud import Shell
from tests.deploy.locks import IMAGE_LOCK, read_lock
from tests.deploy.test_start_command import DOCKERFILE, PIPELINE, image_command
from tests.docs_text import PAGES, README, ROOT

pytestmark = pytest.mark.image
DEPLOY = PAGES["docs/deploy.md"]
MOST_MB = 130
HASHED_MS = 5.0
"""Hashing the bundle alone takes longer."""
NAME = "localhost/polyhead:test"
SERVED = {"function", "model", "profiling", "bundle"}
BILL = "sbom.cdx.json"
CANARY = "canary-of-a-secret-bird"
STAYS = (
    ".env", ".git/config", "secrets.json", "key.pem", "server.key", "tickets.csv", "log",
    "mine.work/replay.jsonl", "mine.work/checkpoint/rows.csv", "mine.report/mistakes.tsv",
    "function/.env", "function/http/credentials.json", "function/record/record.log",
    "model/key.pem", "model/ingredients/rows.csv", "served/.env", "served/rows.jsonl.gz",
)  # fmt: skip
"""Secrets, logs and tables, beside everything that the build copies; no builder is sent them."""
PLANTED = (*STAYS, "profiling/timer/notes.md", "served/notes.txt")
"""With a canary in each."""
LOADED = """
import sys
sys.path[:0] = ["/app"]
from function.packed import PackedFinder, install
install("/app")
import function.process, function.http.endpoint, function.http.image_server, model.classifier
from pathlib import Path
specs = [module.__spec__ for module in list(sys.modules.values()) if module.__spec__]
sources = [spec for spec in specs if spec.has_location and spec.origin.endswith(".py")]
print(len(sources))
print([spec.name for spec in sources if not isinstance(spec.loader, PackedFinder)])
print(sorted({"functions_framework", "flask", "onnxruntime", "numpy"} & set(sys.modules)))
"""


@dataclass(frozen=True)
class Image:
    """The built image, mounted, and the base that it stands on."""

    rootfs: Path
    base: Path
    config: dict[str, Any]
    context: Path
    """What was sent to the builder of the checkout."""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if why := missing():
        pytest.skip(why)
    builder = Builder(tmp_path_factory.mktemp("builder"))
    docker, base = builder.docker(DOCKERFILE)
    step = PIPELINE.split("- id: image\n")[1].split("\n  - id:")[0].split("script: |\n")[1]
    script = re.sub(r"^ {6}", "", step, flags=re.MULTILINE)
    environment = {**os.environ, "PATH": f"{docker}:{os.environ['PATH']}", "IMAGE": NAME}
    checkout = scratch_checkout(tmp_path_factory.mktemp("image") / "checkout")
    done = Shell(checkout, environment).run("bash", "-c", script)
    assert done.returncode == 0, done.stderr
    print(f"\nbase: {base}\n{done.stdout}")
    assert (builder.folder / "pushed" / "index.json").exists()
    sent = builder.context(checkout)
    yield Image(builder.mounted(NAME), builder.mounted(base), builder.config(NAME), sent)
    shutil.rmtree(builder.folder)  # gigabytes: pytest would keep those of three runs


def scratch_checkout(folder: Path) -> Path:
    """What the image step finds: the files that are served, and the verified bundle."""
    shell = Shell(ROOT, os.environ)
    tracked = shell.run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout
    for name in tracked.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "served").mkdir()
    for file in (ROOT / "model" / "ingredients").iterdir():
        (folder / "served" / file.name).write_bytes(file.read_bytes())
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"PASSWORD={CANARY}")
    return folder


@pytest.fixture(scope="session")
def container(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with started(image.rootfs, image.config, tmp_path_factory.mktemp("container")) as running:
        yield running


def files(root: Path) -> dict[str, int]:
    """{path inside: bytes} of every plain file."""
    return {
        str(path.relative_to(root)): path.lstat().st_size
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_it_holds_what_is_served_and_is_small(image: Image) -> None:
    base, whole = files(image.base), files(image.rootfs)
    added = {name: size for name, size in whole.items() if name not in base}
    parts: dict[str, int] = {}
    for name, size in added.items():
        part = re.sub(
            r"(^venv/lib/python[^/]+/site-packages/[^/]+|^app/[^/]+|^[^/]+/).*", r"\1", name
        )
        parts[part] = parts.get(part, 0) + size
    total_mb = sum(added.values()) / 2**20
    sizes_mb = {part: size / 2**20 for part, size in parts.items() if size > 2**20}
    sizes_mb["beyond Python itself"] = total_mb
    for part, size_mb in sorted(sizes_mb.items(), key=lambda pair: pair[1]):
        print(f"{size_mb:6.1f} MB  {part}")
    assert total_mb < MOST_MB
    shown = {part: float(mb) for mb, part in re.findall(r"^ +([\d.]+) MB  (.+)$", DEPLOY, re.M)}
    assert shown == pytest.approx(sizes_mb, abs=1), "docs/deploy.md lists other sizes"
    assert {path.name for path in (image.rootfs / "app").iterdir()} == SERVED | {
        ".graphs",
        ".bytecode",
        BILL,
    }
    assert {path.name for path in (image.rootfs / "app" / "profiling").iterdir()} == {
        "__init__.py",
        "__pycache__",
        "timer",
    }
    for script in ("slim.py", "sbom.py"):
        assert not (image.rootfs / "app" / "function" / script).exists()


def test_it_holds_the_pinned_packages_alone(image: Image) -> None:
    (packages,) = (image.rootfs / "venv" / "lib").glob("python3*/site-packages")
    installed = {path.name.partition("-")[0].lower() for path in packages.glob("*.dist-info")}
    assert installed == {name.replace("-", "_") for name in read_lock(IMAGE_LOCK)}
    assert not list(packages.glob("**/tests"))
    assert list(packages.glob("onnxruntime/capi/libonnxruntime.so*"))
    assert not list(packages.glob("onnxruntime/capi/onnxruntime_pybind11_state*"))


def test_its_bill_lists_what_is_installed(image: Image, bundle_path: Path) -> None:
    content = (image.rootfs / "app" / BILL).read_text(encoding="utf-8")
    print(f"{len(content) / 1000:.0f} kB")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content) is None
    components = json.loads(content)["components"]
    by_type = {component["type"]: component for component in components}
    packages = {
        component["name"]: component
        for component in components
        if component.get("purl", "").startswith("pkg:pypi/")
    }
    locked = read_lock(IMAGE_LOCK)
    assert packages.keys() == locked.keys()
    for name, entry in locked.items():
        (wheel,) = packages[name]["hashes"]
        assert packages[name]["version"] == entry.version
        assert wheel["content"] in entry.hashes
        assert packages[name]["licenses"]
    (bill,) = packages["tokenizers"]["externalReferences"]
    assert (image.rootfs / bill["url"].removeprefix("file:///")).is_file()
    bundle = by_type["machine-learning-model"]
    assert f"{bundle['name']}@{bundle['version']}" == read_bundle(bundle_path).identity
    debian = [part for part in components if part.get("purl", "").startswith("pkg:deb/")]
    assert len(debian) > 50
    (python,) = (image.rootfs / "venv" / "lib").glob("python3*")
    assert f"python{by_type['platform']['version']}".startswith(f"{python.name}.")


def test_no_secret_and_no_table_is_in_it_nor_was_sent(image: Image) -> None:
    sent = files(image.context)
    assert {"pyproject.toml", "function/start.py", "served/model.onnx"} <= set(sent)
    assert set(sent) & set(STAYS) == set()
    assert not [name for name in sent if name.startswith(("tests/", "training/", ".git/"))]
    base = files(image.base)
    added = [name for name in files(image.rootfs) if name not in base]
    names = {Path(name).name for name in PLANTED}
    assert [name for name in added if name.startswith("app/") and Path(name).name in names] == []
    secret = CANARY.encode()
    assert [name for name in added if secret in (image.rootfs / name).read_bytes()] == []


def test_it_says_what_it_is(image: Image) -> None:
    assert image.config["Cmd"] == image_command()
    assert image.config["User"].split(":")[0] not in ("", "0", "root")
    assert image.config["Labels"]["org.opencontainers.image.title"] == "polyhead"


def test_it_answers_the_readmes_questions(container: Container) -> None:
    status, ready = container.ask("GET", "/ready")
    assert (status, ready["status"]) == (200, "ready"), container.log.read_text()
    texts = ["boneless chicken breast", "raw honey", "butter knife"]
    status, answer = container.ask("POST", "/", {"inputs": texts})
    assert status == 200
    shown = json.loads(
        README.split("$ curl -s localhost:8080 -H")[1].split("\n", 1)[1].split("```")[0]
    )
    assert answer["bundle"] == shown["bundle"]
    for given, printed in zip(answer["predictions"], shown["predictions"], strict=True):
        labels = [
            {task: [entry["label"] for entry in found] for task, found in prediction.items()}
            for prediction in (given, printed)
        ]
        assert labels[0] == labels[1]


def test_it_is_held_to_the_limits(container: Container) -> None:
    assert container.limit("memory", "memory.limit_in_bytes") == MEMORY_BYTES
    period = container.limit("cpu", "cpu.cfs_period_us")
    assert container.limit("cpu", "cpu.cfs_quota_us") == period
    for _ in range(20):
        status, _ = container.ask("POST", "/", {"inputs": ["word " * 64] * 32})
        assert status == 200
    highest_mb = container.limit("memory", "memory.max_usage_in_bytes") / 2**20
    print(f"{highest_mb:.0f} MB at the highest")
    assert container.ask("GET", "/health")[0] == 200


def test_it_cannot_write_nor_become_another(container: Container) -> None:
    done = container.python("import os; print(os.getuid()); open('/app/new', 'w')")
    assert done.stdout == "65532\n"
    assert "Read-only file system: '/app/new'" in done.stderr
    done = container.python("import subprocess; subprocess.run(['/bin/sh', '-c', 'true'])")
    assert "Permission denied" in done.stderr or "Exec format error" in done.stderr


def test_nothing_is_compiled_at_the_start(container: Container) -> None:
    done = container.python(LOADED)
    assert done.returncode == 0, done.stderr
    modules, unpacked, frameworks = done.stdout.splitlines()
    assert int(modules) > 50
    assert "function.packed" in unpacked
    assert frameworks == "[]"


def test_what_was_sealed_is_verified_after_the_first_answer(container: Container) -> None:
    container.ask("POST", "/", {"inputs": "raw honey"})
    profiles = [json.loads(line)["profile"] for line in container.log.read_text().splitlines()]
    assert profiles[-1]["graph"] == "copy"
    (cold,) = [profile for profile in profiles if profile["cold"]]
    (verify,) = [span for span in cold["spans"] if span["name"] == "verify"]
    assert verify["duration_ms"] < HASHED_MS


def test_nothing_is_complained_of(container: Container) -> None:
    container.ask("POST", "/", {"inputs": "raw honey"})
    lines = [json.loads(line) for line in container.log.read_text().splitlines()]
    assert all(line["severity"] in ("DEBUG", "INFO") for line in lines)
