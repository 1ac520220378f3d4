"""A record names the machine, and the versions of what served rather than of what measured."""

from __future__ import annotations

import platform
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

from profiling import machine


@pytest.fixture
def server_python(tmp_path: Path) -> Path:
    """A Python whose environment has a numpy of its own, and nothing else."""
    venv.create(tmp_path, symlinks=True)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    (site / "numpy-0.1.dist-info").mkdir()
    (site / "numpy-0.1.dist-info" / "METADATA").write_text("Name: numpy\nVersion: 0.1\n")
    return tmp_path / "bin" / "python"


def test_versions_are_those_of_the_python_that_serves(server_python: Path) -> None:
    described = machine.describe(server_python)
    assert described["python"] == platform.python_version()
    assert described["packages"] == {**dict.fromkeys(machine.PACKAGES), "numpy": "0.1"}
    assert described["driver"]["packages"]["numpy"] == version("numpy")
    text = machine.sentence(described)
    assert f"numpy 0.1; driven by Python {platform.python_version()}; functions-" in text


def test_one_python_is_named_once() -> None:
    described = machine.describe()
    assert "driver" not in described
    assert described["packages"]["onnxruntime"] == version("onnxruntime")
    assert machine.sentence(described).count("numpy") == 1


def test_a_python_that_cannot_run_has_no_versions(tmp_path: Path) -> None:
    assert machine.versions(tmp_path / "none") == {"python": None, "packages": {}}


def test_the_machine_is_named() -> None:
    described = machine.describe()
    assert described["processor"] in machine.sentence(described)
    assert described["memory_mb"] > 100
    assert described["cpus"] >= 1
