"""What is deployed is locked with its hashes, is what was tested, and starts from known images."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.locks import IMAGE_LOCK, SOURCE_LOCK, named, read_lock, repacked
from tests.deploy.test_start_command import DOCKERFILE
from tests.docs_text import ROOT

NOT_IN_THE_IMAGE = {"functions-framework", "google-cloud-logging", "tqdm"}


def test_the_lock_has_what_its_file_names_and_a_hash_for_everything() -> None:
    lock = read_lock(SOURCE_LOCK)
    direct = named(ROOT / "requirements.in")
    assert len(direct) >= 7
    assert {name: lock[name].version for name in direct} == direct
    assert [entry.name for entry in lock.values() if not entry.hashes] == []


def test_the_images_lock_is_a_part_of_it() -> None:
    image, source = read_lock(IMAGE_LOCK), read_lock(SOURCE_LOCK)
    assert image.keys() == named(ROOT / "function" / "requirements.in").keys()
    assert image.keys() == named(ROOT / "requirements.in").keys() - NOT_IN_THE_IMAGE
    for name, entry in image.items():
        assert (entry.version, entry.hashes) == (source[name].version, source[name].hashes)


def test_the_lock_is_whole_and_its_versions_are_those_that_are_tested() -> None:
    lock = read_lock(SOURCE_LOCK)
    installed = {}
    for name in lock:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            assert ";" in lock[name].text, f"{name} is not installed: make test installs it"
    assert installed == {name: lock[name].version for name in installed}
    needed = {
        canonicalize_name(requirement.name)
        for name in installed
        for requirement in map(Requirement, distribution(name).requires or ())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert needed - lock.keys() == set()


def test_pip_refuses_a_file_that_is_not_the_locked_one(tmp_path: Path) -> None:
    """waitress's entry of the lock, and a file of its name and version with other contents."""
    repacked("waitress", tmp_path)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(read_lock(SOURCE_LOCK)["waitress"].text)
    done = pip_install(tmp_path, "--requirement", str(requirements))
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "installed").exists()


def pip_install(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Install wheels of a folder into `installed` beside them, without an index."""
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index"]
    places = ["--find-links", str(folder), "--target", str(folder / "installed")]
    command += ["--no-deps", "--no-compile", "--quiet"]
    return subprocess.run(
        [*command, *places, *options], capture_output=True, text=True, check=False, timeout=60
    )


def test_every_installation_of_a_lock_demands_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = [line for line in makefile.splitlines() if "--requirement requirements.txt" in line]
    assert len(lines) == 3
    assert all("--require-hashes" in line for line in lines)
    (install,) = re.findall(r"-m pip .*?(?<!\\)$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert "--require-hashes --requirement /build/requirements.txt" in install


def test_the_other_environments_build_on_what_is_named_not_on_the_hashes() -> None:
    """pip demands a hash for everything as soon as one line has one."""
    for name in ("profiling", "train", "dev"):
        assert "-r requirements.txt" not in (ROOT / f"requirements-{name}.txt").read_text("utf-8")


def test_the_base_is_pinned_by_its_digest() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert stages == ["${BASE}", "${BASE}"]
    (base,) = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}", base)
    copied = re.findall(r"COPY --from=(\S+)", DOCKERFILE)
    assert set(copied) == {"build"}


@pytest.mark.parametrize("config", ["cloudbuild.yaml", "cloudbuild-train.yaml"])
def test_each_step_names_one_release_of_its_image(config: str) -> None:
    images = re.findall(r"^ +name: (\S+)$", (ROOT / config).read_text("utf-8"), re.MULTILINE)
    assert len(images) >= 5
    exact = r"[\w./-]+:\d+\.\d+\.\d+(-[\w-]+)?(@sha256:[0-9a-f]{64})?"
    assert [image for image in images if not re.fullmatch(exact, image)] == []
