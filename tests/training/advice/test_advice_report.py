"""What people wrote into the files of the advice is still there after the next run."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.aside import write_json
from training.advice.advice_report import advice_lines, put_advice
from training.advice.advise import SUSPECTS, TO_LABEL
from training.recipe import read_recipe
from training.run import FACTS, Run

RECIPE = """
[data]
files = ["rows.csv", {path = "out.report/suspects.csv", corrects = true}]
[[task]]
name = "topic"
kind = "single"
"""
FACTS_OF_ONE = {
    "suspects": {"topic": 1}, "rows": 9, "to_label": 1, "unlabelled": 30, "looked_at": 3,
    "curves": [],
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "rows.csv").write_text("text,topic\na,b\n")
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("out.report/suspects.csv", "other.csv"))
    (tmp_path / "other.csv").write_text("text,topic\na,b\n")
    return Run(read_recipe(tmp_path / "recipe.toml"), tmp_path / "out")


def advise(run: Run, content: str) -> str:
    """What is said after a stage `advise` that wrote `content` into both files."""
    folder = run.work / "advise"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SUSPECTS, TO_LABEL):
        (folder / name).write_text(content)
    write_json(folder / FACTS, FACTS_OF_ONE)
    return "\n".join(advice_lines(run.facts("advise"), put_advice(run)))


def read(run: Run, name: str) -> str:
    return (run.report / name).read_text()


def test_untouched_files_are_replaced(run: Run) -> None:
    advise(run, "first")
    lines = advise(run, "second")
    assert f"first in {run.report / SUSPECTS}" in lines
    assert f"1 of 30 (3 of them looked at), in {run.report / TO_LABEL}" in lines
    assert {path.name for path in run.report.iterdir()} == {SUSPECTS, TO_LABEL}
    assert read(run, TO_LABEL) == "second"


def test_an_edited_file_stays_and_the_new_one_has_a_number(run: Run) -> None:
    advise(run, "first")
    (run.report / TO_LABEL).write_text("first, edited")
    for content in ("second", "third"):
        assert f"in {run.report / 'to_label-2.csv'}" in advise(run, content)
        assert read(run, TO_LABEL) == "first, edited"
        assert read(run, "to_label-2.csv") == content
        assert read(run, SUSPECTS) == content


def test_a_listed_file_stays(run: Run) -> None:
    advise(run, "first")
    (run.target.parent / "recipe.toml").write_text(RECIPE)
    listed = Run(read_recipe(run.target.parent / "recipe.toml"), run.target)
    advise(listed, "second")
    assert (read(run, SUSPECTS), read(run, "suspects-2.csv")) == ("first", "second")
    assert read(run, TO_LABEL) == "second"
