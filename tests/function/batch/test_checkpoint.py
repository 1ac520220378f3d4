"""A batch's files: what counts is what was recorded, unless the files are not that run's."""

from __future__ import annotations

from pathlib import Path

import pytest

from function.batch.checkpoint import Checkpoint

MADE_FROM: dict[str, object] = {"tasks": ["topic"]}
ROWS, REJECTED = b"one\ntwo\n", b"three\n"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a batch was stopped after it had recorded two rows and a rejected one."""
    target = tmp_path / "out.jsonl"
    checkpoint = Checkpoint(target, MADE_FROM, force=False)
    checkpoint.save(ROWS, REJECTED, rows=3, rejections=1, truncated=2)
    checkpoint.close()
    return target


def files(target: Path) -> tuple[Path, Path]:
    return target.with_name("out.jsonl.partial"), target.with_name("out.jsonl.rejected.jsonl")


def test_what_was_written_after_the_record_is_dropped(target: Path) -> None:
    for path in files(target):
        path.write_bytes(path.read_bytes() + b"unrecorded")
    checkpoint = Checkpoint(target, MADE_FROM, force=False)
    checkpoint.close()
    assert (checkpoint.position.rows, checkpoint.position.rejected) == (3, 1)
    assert [path.read_bytes() for path in files(target)] == [ROWS, REJECTED]


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_shorter_than_its_record_starts_over(target: Path, which: int) -> None:
    files(target)[which].write_bytes(b"one")
    checkpoint = Checkpoint(target, MADE_FROM, force=False)
    checkpoint.close()
    assert (checkpoint.position.rows, checkpoint.position.rejected) == (0, 0)
    assert [path.read_bytes() for path in files(target)] == [b"", b""]


@pytest.mark.parametrize(("made_from", "rows"), [(MADE_FROM, 3), ({"tasks": ["other"]}, 0)])
def test_force_goes_on_from_the_same_run_only(
    target: Path, made_from: dict[str, object], rows: int
) -> None:
    checkpoint = Checkpoint(target, made_from, force=True)
    checkpoint.close()
    assert checkpoint.position.rows == rows
    assert files(target)[0].read_bytes() == (ROWS if rows else b"")
