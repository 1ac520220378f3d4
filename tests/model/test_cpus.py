"""A container's processors: its quota, not the host's count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model import cpus


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Eight processors, and control groups under tmp_path."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(cpus, "GROUPS", tmp_path)
    monkeypatch.setattr(cpus, "GROUP_OF_PROCESS", tmp_path / "own")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("100000 100000", 1), ("50000 100000", 1), ("250000 100000", 2), ("max 100000", 8)],
)
def test_version_2(host: Path, quota: str, expected: int) -> None:
    write(host / "own", "0::/service\n")
    write(host / "service" / "cpu.max", quota)
    assert cpus.usable_cpus() == expected


def test_version_2_mounted_as_the_root(host: Path) -> None:
    write(host / "own", "0::/seen/from/the/host\n")
    write(host / "cpu.max", "200000 100000")
    assert cpus.usable_cpus() == 2


@pytest.mark.parametrize(("quota", "expected"), [("100000", 1), ("-1", 8)])
def test_version_1(host: Path, quota: str, expected: int) -> None:
    write(host / "own", "5:memory:/m\n4:cpu,cpuacct:/c\n")
    write(host / "cpu" / "c" / "cpu.cfs_quota_us", quota)
    write(host / "cpu" / "c" / "cpu.cfs_period_us", "100000")
    assert cpus.usable_cpus() == expected


def test_no_control_groups(host: Path) -> None:
    assert cpus.usable_cpus() == 8
