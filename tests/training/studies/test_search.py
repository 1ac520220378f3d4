"""Is the search seeded, cheap first, and does it measure nothing twice?"""

import json

import pytest

from tests.training.studies.conftest import WriteRecipe, run_training
from training.__main__ import main
from training.fit.schedule import student_rate
from training.recipe import Student
from training.studies.search import SPACE, drawn_settings

SECTIONS = """
[vocabulary]
pieces = 3000
[teacher]
steps = 3
[student]
layers = 1
committee = false
variants = 0
"""


def test_settings_are_drawn_by_seed_and_once_each() -> None:
    own = Student()
    first = drawn_settings(own, 20, 1)
    assert first == drawn_settings(own, 20, 1)
    assert first != drawn_settings(own, 20, 2)
    assert len({own, *first}) == 21
    assert {drawn.layers for drawn in first} == {own.layers}
    most = 5 * 3 * 3 * 4 * 4
    assert all(getattr(drawn, key) in values for drawn in first for key, values in SPACE.items())
    assert len(drawn_settings(own, 2 * most, 1)) <= most


def test_the_better_ones_go_on_and_nothing_is_measured_twice(
    write_recipe: WriteRecipe, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe("sought", SECTIONS)
    out = recipe.with_name("search")
    arguments = ["search", str(recipe), "--out", str(out), "--trials", "4", "--steps", "2"]
    assert run_training(*arguments).count("trained and measured now") == 4 + 2
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("measured before, kept") == 4 + 2
    report = json.loads((out.with_name("search.report") / "search.json").read_text())
    few, more = report["rounds"]
    assert [len(few), len(more)] == [4, 2]
    assert [few[0]["steps"], more[0]["steps"]] == [2, 6]
    rates = student_rate(Student(layers=1), 1)
    assert all(any(t["settings"]["learning_rate"] == rates for t in part) for part in (few, more))
    table = (out.with_name("search.report") / "search.md").read_text()
    assert "After 6 steps:" in table
    assert f"| **{rates}** |" in table
