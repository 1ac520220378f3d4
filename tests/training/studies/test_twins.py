"""Twins share rows, splits and steps; their differences carry the seeds' noise."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from tests.training.studies.conftest import WriteRecipe, run_training
from training.__main__ import main
from training.recipe import read_recipe
from training.rows.table import read_table
from training.studies.twins.twins_command import with_written_rows
from training.studies.twins.twins_report import difference

SECTIONS = """
[[task]]
name = "source"
kind = "single"
[vocabulary]
pieces = 3000
[student]
layers = 1
"""


@pytest.fixture(scope="module")
def recipe(write_recipe: WriteRecipe) -> Path:
    return write_recipe("pair", SECTIONS, split="unsplit")


def test_twins_are_judged_on_the_rows_that_all_tasks_are(recipe: Path, tmp_path: Path) -> None:
    own = read_recipe(recipe)
    together = read_table(own)
    written = with_written_rows(own, together, tmp_path / "rows.jsonl")
    again = read_table(written)
    assert [(row.text, row.targets, row.split) for row in again.rows] == [
        (row.text, row.targets, row.split) for row in together.rows
    ]
    for place, task in enumerate(written.tasks):
        alone = read_table(replace(written, tasks=(task,)))
        for split in ("validation", "test"):
            assert [(row.text, row.targets[0]) for row in alone.split(split)] == [
                (row.text, row.targets[place])
                for row in together.split(split)
                if row.targets[place] is not None
            ]


def test_an_interval_is_that_of_the_paired_t_test() -> None:
    random = np.random.default_rng(1)
    before, after = random.normal(90, 1, 5).tolist(), random.normal(91, 1, 5).tolist()
    gain = difference(before, after)
    expected = ttest_rel(after, before).confidence_interval(0.95)
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high))
    assert gain.points == pytest.approx(np.mean(after) - np.mean(before))
    assert gain.clear == (ttest_rel(after, before).pvalue < 0.05)


def test_one_seed_has_no_interval() -> None:
    gain = difference([90.0], [91.5])
    assert (gain.points, gain.low, gain.high, gain.clear) == (1.5, None, None, False)


def test_the_command_compares_and_measures_nothing_twice(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = recipe.with_name("twins")
    arguments = ["twins", str(recipe), "--out", str(out), "--steps", "2", "--seeds", "1"]
    assert run_training(*arguments).count("trained and measured now") == 6
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("measured before, kept") == 6
    report = json.loads((out.with_name("twins.report") / "twins.json").read_text())
    assert (report["steps"], report["seeds"]) == (2, 1)
    pairs = {(entry["attention"], entry["task"]) for entry in report["sharing"]}
    assert pairs == {(a, t) for a in ("independent", "joint") for t in ("ingredient", "source")}
    for entry in report["sharing"]:
        assert entry["points"] == pytest.approx(entry["after"] - entry["before"], abs=0.01)
        assert 0 < entry["after"] <= 100
    assert [entry["task"] for entry in report["attention"]] == ["ingredient", "source"]
    table = (out.with_name("twins.report") / "twins.md").read_text()
    assert "2 steps of 32 rows for every network, 1 seed," in table
    assert not list(out.with_name("twins.work").glob("twins/*.work")), "weights are not kept"
