"""Two bundles are compared on rows that neither has seen, or it is said that they cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.bundle import BundleError, read_bundle
from model.bundle_writer import copied_bundle
from tables.held_out import HeldOut, record_path, record_text, row_key
from training.judge.held_out_answers import held_out_record, judged_record
from training.judge.held_out_drops import compare_held_out
from training.judge.judged import judge_bundle
from training.recipe import read_recipe
from training.rows.table import Table, read_table

WORDS = ("raw honey", "butter", "salt", "olive oil")
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """40 test rows, all `ingredient`, of 40 texts."""
    folder = tmp_path_factory.mktemp("held_out")
    rows: list[dict[str, Any]] = [
        {"text": f"{number} g {word}", "split": "test", "ingredient": "ingredient"}
        for word in WORDS
        for number in range(10)
    ]
    rows += [
        {"text": f"knife {split}", "split": split, "ingredient": "not_ingredient"}
        for split in ("train", "validation")
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "recipe.toml"
    path.write_text(
        '[data]\nfiles = ["rows.jsonl"]\n[[task]]\nname = "ingredient"\nkind = "single"\n'
    )
    return read_table(read_recipe(path))


@pytest.fixture
def write(bundle_path: Path, table: Table, tmp_path: Path) -> Write:
    """Write the shipped bundle as NAME, refitted, its record the answers `wrong` to so many rows
    of the first `rows`; none for `rows=0`."""

    def make(name: str, rows: int, wrong: int = 0, **metrics: Any) -> Path:
        source = read_bundle(bundle_path)
        bundle = copied_bundle(source, tmp_path / name, metrics={"refit": {}, **metrics})
        (task,) = judge_bundle(table, bundle.path, "test")
        answers = list(held_out_record([task], "").tasks[task.name])[:rows]
        path = record_path(bundle.path)
        path.parent.mkdir()
        if rows:
            labels = ("not_ingredient", "ingredient")
            record = {key: [labels[place >= wrong]] for place, key in enumerate(answers)}
            path.write_text(record_text(HeldOut(bundle.identity, {task.name: record})))
        return bundle.path

    return make


def test_the_answers_of_a_bundle_become_a_record_and_back(bundle_path: Path, table: Table) -> None:
    judged = judge_bundle(table, bundle_path, "test")
    record = held_out_record(judged, "name@digest")
    (again,) = judged_record(table, record, record)
    assert again.rows == judged[0].rows
    assert (again.truth == judged[0].truth).all()
    assert (again.answers == judged[0].answers).all()
    text = json.loads(record_text(record))["tasks"]["ingredient"]
    assert len(text) == 40


def test_labels_that_the_table_does_not_know_are_wrong_answers(table: Table) -> None:

    (row, *_) = table.split("test")
    key = row_key(row.text, ["ingredient"])
    record = HeldOut("", {"ingredient": {key: ["spice"]}})
    (task,) = judged_record(table, record, record)
    assert task.labels == ("ingredient", "not_ingredient", "spice")
    assert task.headline == 0


def test_refitted_bundles_are_compared_by_rows_that_both_held_out(
    write: Write, table: Table
) -> None:
    comparison = compare_held_out(table, write("old", 30, wrong=3), write("new", 40, wrong=6))
    assert "both held out" in comparison.note
    (drop,) = comparison.drops
    assert (drop.task, drop.rows, drop.before, drop.after) == ("ingredient", 30, 90.0, 80.0)
    assert drop.low < drop.drop == 10 < drop.high


def test_a_deployed_bundle_without_a_record_is_compared_by_its_card(
    write: Write, table: Table
) -> None:
    claims: dict[str, Any] = {"ingredient": {"rows": 160, "accuracy": 95.0}}
    old = write("old", 0, int8={"tasks": claims})
    comparison = compare_held_out(table, old, write("new", 40, wrong=4))
    assert "has no record of held-out answers; it is compared by its card" in comparison.note
    (drop,) = comparison.drops
    assert (drop.before, drop.after, drop.drop) == (95.0, 90.0, 5.0)
    assert drop.after_interval is not None
    low, high = drop.after_interval
    half = (high - low) / 2 * (1 + 40 / 160) ** 0.5  # of 40 rows, and of 160
    assert drop.high - drop.drop == pytest.approx(half, abs=0.02)
    claims["ingredient"]["interval"] = [91.0, 97.0]
    old = write("older", 0, int8={"tasks": claims})
    (drop,) = compare_held_out(table, old, write("newer", 40, wrong=4)).drops
    half = (((high - low) / 2) ** 2 + 3**2) ** 0.5
    assert (drop.low, drop.high) == pytest.approx((5 - half, 5 + half), abs=0.02)


def test_a_refitted_candidate_without_a_record_cannot_be_judged(write: Write, table: Table) -> None:
    old, new = write("old", 40), write("new", 0)
    with pytest.raises(BundleError, match=r"held out are missing: copy them to .*new\.report"):
        compare_held_out(table, old, new)
    with pytest.raises(BundleError, match="was fitted to the test split"):
        compare_held_out(table, new, new)


def test_a_candidate_that_was_not_refitted_is_asked(
    write: Write, table: Table, bundle_path: Path, tmp_path: Path
) -> None:
    plain = copied_bundle(read_bundle(bundle_path), tmp_path / "plain", metrics={})
    comparison = compare_held_out(table, write("old", 20), plain.path)
    assert [(drop.rows, drop.drop) for drop in comparison.drops] == [(20, 0.0)]


def test_a_broken_record_is_said(write: Write, table: Table) -> None:
    old = write("old", 40)
    record_path(old).write_text("{")
    with pytest.raises(BundleError, match="no record of held-out answers; copy it here again"):
        compare_held_out(table, old, old)
