"""runsc is chosen by its release, and a command runs inside it as it would outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from profiling import machine
from profiling.bench import sandbox
from profiling.bench.sandbox import SandboxError


def fake_runsc(path: Path, version: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'runsc version {version}'\necho 'spec: 1.2.0'\n")
    path.chmod(0o755)
    return path


def test_a_command_is_wrapped_for_its_folder() -> None:
    assert sandbox.wrapped(["python", "-m", "it"], Path("/srv"), Path("/opt/runsc")) == [
        *("/opt/runsc", "--rootless", "--network=host", "--ignore-cgroups", "--platform=systrap"),
        *("do", "-quiet", "-cwd", "/srv", "--", "python", "-m", "it"),
    ]


@pytest.mark.parametrize(
    ("version", "day"),
    [("0.0~20240729.0", 20240729), ("release-20251020.0", 20251020), ("1.2", 0), ("", 0)],
)
def test_a_release_is_told_by_its_day(version: str, day: int) -> None:
    assert sandbox.release_of(version) == day


def test_one_on_the_path_is_used_if_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox, "RUNSC", tmp_path / "fetched" / "runsc")
    on_path = fake_runsc(tmp_path / "bin" / "runsc", "0.0~20221219.0")
    monkeypatch.setattr("shutil.which", lambda name: str(on_path))
    assert sandbox.installed() is None
    with pytest.raises(SandboxError, match=r"runsc of 20240729 .* run: python -m profiling.bench"):
        sandbox.require()
    fake_runsc(on_path, "release-20250101.0")
    assert sandbox.require() == on_path
    fetched = fake_runsc(sandbox.RUNSC, "0.0~20240729.0")
    assert sandbox.require() == fetched


def test_the_machine_says_which_gvisor_served(tmp_path: Path) -> None:
    runsc = fake_runsc(tmp_path / "bin" / "runsc", "0.0~20240729.0")
    sentence = machine.sentence(machine.describe() | sandbox.describe(runsc))
    assert "gVisor of runsc 0.0~20240729.0, platform systrap" in sentence
    assert "gVisor" not in machine.sentence(machine.describe())


def test_without_debians_tools_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sandbox, "RUNSC", tmp_path / "runsc")
    with pytest.raises(SandboxError, match=r"Debian's tools are needed to fetch runsc.*apt-get"):
        sandbox.fetch()
