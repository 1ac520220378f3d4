"""A full disk is told in one line, whoever could not write; other errors stay what they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.disk import OWN_MOUNTS, can_have_own_mounts
from training.full_disk import full_disk

ROOT = Path(__file__).parents[2]
WRITERS = """
import json, shutil, sys
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save_file
from tests.reliability.disk import Disk
from training.full_disk import full_disk

folder = Path(sys.argv[1])
disk = Disk(folder)
numbers = torch.zeros(2**18)
(folder.parent / "source").write_bytes(bytes(2**20))
writers = {
    "torch": lambda path: torch.save(numbers, path),
    "safetensors": lambda path: save_file({"numbers": numbers}, path),
    "numpy": lambda path: np.save(path, numbers.numpy()),
    "file": lambda path: path.write_bytes(bytes(2**20)),
    "copy": lambda path: shutil.copyfile(folder.parent / "source", path),
}
told = {}
for name, write in writers.items():
    disk.leave(2**18)
    try:
        write(folder / f"{name}.npy")
    except Exception as error:
        told[name] = full_disk(error, folder)
    disk.free()
print(json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not can_have_own_mounts(), reason="a disk in memory needs root or user namespaces"
)
def test_every_writer_on_a_full_disk_is_understood(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-c", WRITERS, str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() == {"torch", "safetensors", "numpy", "file", "copy"}
    advice = "no space is left on its disk; free some and give the same command again"
    for name, line in told.items():
        place = folder / "copy.npy" if name == "copy" else folder
        assert line.startswith(f"{place}: {advice}"), name


def test_the_reason_may_be_behind_other_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not written") as caught:
        write_report_to_a_full_device()
    told = full_disk(caught.value, tmp_path)
    assert told is not None
    assert told.startswith(f"{tmp_path}: no space is left")


def write_report_to_a_full_device() -> None:
    try:
        Path("/dev/full").write_text("raw honey")
    except OSError:
        raise ValueError("the report was not written") from None


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), OSError(2, "No such file"), KeyError("task")]
)
def test_other_errors_are_not_about_the_disk(tmp_path: Path, error: Exception) -> None:
    assert full_disk(error, tmp_path) is None
