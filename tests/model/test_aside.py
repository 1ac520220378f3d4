"""What killed writers leave beside their target is undone, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.aside import clear_leftovers, directory_aside, file_aside, write_text


def fail_halfway(target: Path) -> None:
    with file_aside(target) as aside:
        aside.write_text("half")
        raise OSError("the disk is full")


def fail_halfway_in_directory(target: Path) -> None:
    with directory_aside(target) as aside:
        (aside / "half").write_text("half")
        raise OSError("the disk is full")


def test_a_failed_write_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "old")
    with pytest.raises(OSError, match="full"):
        fail_halfway(tmp_path / "a.json")
    with pytest.raises(OSError, match="full"):
        fail_halfway_in_directory(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_what_killed_writers_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".out.123.new").mkdir()
    (tmp_path / ".out.123.new" / "half").write_text("half")
    (tmp_path / ".out.7.old").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / ".report.json.123.new").write_text("half")
    others = [".other.123.new", ".out.backup.new", ".gitignore", "out.123.new"]
    for name in others:
        (tmp_path / name).write_text("of somebody else")
    clear_leftovers(tmp_path, "out")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"out", ".report.json.123.new", *others}
    clear_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"out", *others[1:]}


def test_a_directory_whose_successor_never_came_returns(tmp_path: Path) -> None:
    (tmp_path / ".out.123.old").mkdir()
    (tmp_path / ".out.123.old" / "model.onnx").write_text("the bundle before")
    clear_leftovers(tmp_path, "out")
    assert (tmp_path / "out" / "model.onnx").read_text() == "the bundle before"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path: Path) -> None:
    clear_leftovers(tmp_path / "report")
    assert not (tmp_path / "report").exists()
