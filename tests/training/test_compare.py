"""A candidate is proposed only when it is no worse than the deployed bundle, task by task."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.bundle import Task, read_bundle
from model.bundle_writer import copied_bundle
from training.compare import main

ROWS = [("raw honey", "ingredient"), ("butter knife", "not_ingredient")] * 30


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows = [
        {"text": text, "split": split, "ingredient": label}
        for split in ("train", "validation", "test")
        for text, label in ROWS
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[data]\nfiles = ["rows.jsonl"]\n[[task]]\nname = "ingredient"\nkind = "single"\n'
    )
    return path


def written(shipped: Path, target: Path, first: Task) -> str:
    """The shipped bundle with its first task changed."""
    bundle = read_bundle(shipped)
    return str(copied_bundle(bundle, target, tasks=(first, *bundle.tasks[1:])).path)


def test_the_same_bundle_loses_nothing(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main([str(recipe), str(bundle_path), str(bundle_path), "--out", str(out)]) == 0
    assert "lost +0.00 to +0.00" in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert content["refused"] == []
    assert content["drops"][0]["deployed"] == content["drops"][0]["candidate"] == 100


def test_a_worse_bundle_is_refused(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = read_bundle(bundle_path).tasks[0]
    worse = written(bundle_path, tmp_path / "worse", task.changed(labels=task.labels[::-1]))
    assert main([str(recipe), str(bundle_path), worse]) == 1
    assert "refused: ingredient: lost 100.00 points, for certain" in capsys.readouterr().out
    assert main([str(recipe), worse, str(bundle_path)]) == 0, "a better one is not"


def test_a_task_that_is_gone_is_refused(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = read_bundle(bundle_path).tasks[0]
    other = written(bundle_path, tmp_path / "other", task.changed(name="edible"))
    assert main([str(recipe), str(bundle_path), other]) == 1
    output = capsys.readouterr().out
    assert "refused: ingredient: not answered any more" in output
    assert "refused: no task in common" in output


def test_what_is_no_bundle_is_said(
    recipe: Path, bundle_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(recipe), str(bundle_path), "nowhere"]) == 2
    assert "error: nowhere: no such directory" in capsys.readouterr().err
