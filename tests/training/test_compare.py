"""A candidate is proposed only when it is no worse than the deployed bundle, task by task."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.bundle import Task, read_bundle
from model.bundle_writer import copied_bundle
from tables.held_out import HeldOut, record_path, record_text, row_key
from training.compare import main
from training.judge.refit_facts import REFIT

ROWS = [("raw honey", "ingredient"), ("butter knife", "not_ingredient")] * 30


@pytest.fixture(scope="module")
def bundle_path(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bundle as one that was not fitted to all rows, so that it can be asked."""
    shipped = read_bundle(bundle_path)
    metrics = {key: value for key, value in shipped.metrics.items() if key != REFIT}
    return copied_bundle(shipped, tmp_path_factory.mktemp("bundle") / "held", metrics=metrics).path


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
    output = capsys.readouterr().out
    assert "lost +0.00 (-" in output
    assert "passes" in output
    assert "warning: ingredient: lost 0.00 points" in output
    assert "60 rows are too few to tell whether the loss is above 0.5, about" in output
    content = json.loads(out.read_text())
    assert content["refused"] == content["undecided"] == []
    (drop,) = content["drops"]
    assert drop["deployed"] == drop["candidate"] == 100
    assert drop["deployed_interval"] == drop["candidate_interval"]
    assert drop["deployed_interval"][0] < 100
    assert drop["verdict"] == "passes"


def test_a_worse_bundle_is_refused(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = read_bundle(bundle_path).tasks[0]
    worse = written(bundle_path, tmp_path / "worse", task.changed(labels=task.labels[::-1]))
    assert main([str(recipe), str(bundle_path), worse]) == 1
    assert "refused: ingredient: lost 100.00 points, for certain" in capsys.readouterr().out
    assert main([str(recipe), worse, str(bundle_path)]) == 0, "a better one is not"


def test_a_loss_that_the_rows_do_not_prove_is_undecided(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deployed bundle is right on 53 of 100 rows, the candidate on the other 47."""
    rows = [
        {"text": "raw honey", "split": split, "ingredient": label, "row": f"{split} {place}"}
        for split in ("train", "validation", "test")
        for place, label in enumerate(["ingredient"] * 53 + ["not_ingredient"] * 47)
    ]
    recipe.with_name("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe.write_text(recipe.read_text().replace("[[task]]", 'group = "row"\n[[task]]'))
    task = read_bundle(bundle_path).tasks[0]
    turned = written(bundle_path, tmp_path / "turned", task.changed(labels=task.labels[::-1]))
    out = tmp_path / "out.json"
    assert main([str(recipe), str(bundle_path), turned, "--out", str(out)]) == 3
    output = capsys.readouterr().out
    assert "53.00 [43.2, 62.5]   47.00 [37.5, 56.8]  lost +6.00 (-" in output
    assert "undecided: ingredient: lost 6.00 points (-" in output
    assert "100 rows are too few to tell whether the loss is above 0.5, about" in output
    content = json.loads(out.read_text())
    assert content["refused"] == []
    assert "lost 6.00 points" in content["undecided"][0]
    assert main([str(recipe), str(bundle_path), turned, "--max-drop", "6"]) == 0


def test_a_task_that_is_gone_is_refused(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = read_bundle(bundle_path).tasks[0]
    other = written(bundle_path, tmp_path / "other", task.changed(name="edible"))
    assert main([str(recipe), str(bundle_path), other]) == 1
    output = capsys.readouterr().out
    assert "refused: ingredient: not answered any more" in output
    assert "refused: no task in common" in output


def test_a_task_of_which_no_row_is_compared_is_undecided(
    recipe: Path, bundle_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The labels of `source` were renamed after the deployed bundle's run."""
    rows = [json.loads(line) for line in recipe.with_name("rows.jsonl").read_text().splitlines()]
    lines = [json.dumps({**row, "source": "Plant"}) for row in rows]
    recipe.with_name("rows.jsonl").write_text("\n".join(lines))
    recipe.write_text(recipe.read_text() + '[[task]]\nname = "source"\nkind = "single"\n')
    bundles = []
    for name, source in (("old", "plant"), ("new", "Plant")):
        bundle = copied_bundle(read_bundle(bundle_path), tmp_path / name)
        tasks = {
            "ingredient": {row_key(text, [label]): [label] for text, label in ROWS},
            "source": {row_key(text, [source]): [source] for text, _ in ROWS},
        }
        record_path(bundle.path).parent.mkdir()
        record_path(bundle.path).write_text(record_text(HeldOut(bundle.identity, tasks)))
        bundles.append(str(bundle.path))
    out = tmp_path / "out.json"
    assert main([str(recipe), *bundles, "--out", str(out)]) == 3
    reason = "source: not compared: no labelled test row has answers of both; were its labels"
    assert f"undecided: {reason} renamed?" in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert [drop["task"] for drop in content["drops"]] == ["ingredient"]
    assert content["undecided"] == [f"{reason} renamed?"]


def test_what_is_no_bundle_is_said(
    recipe: Path, bundle_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(recipe), str(bundle_path), "nowhere"]) == 2
    assert "error: nowhere: no such directory" in capsys.readouterr().err
