"""Does fastText learn the tasks it is given, and does a run go on where it cannot?"""

import json
import random
import sys
from pathlib import Path

import pytest

from training.judge.fast_text import fasttext_answers
from training.judge.judged import judge_answers
from training.recipe import read_recipe
from training.rows.table import Table, read_table

WORDS = {"fruit": ("apple", "banana", "cherry"), "tool": ("hammer", "chisel", "wrench")}


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Names of fruit and tools, with their colours; a test colour that training never had."""
    dice = random.Random(1)
    lines = []
    for split, count in (("train", 200), ("validation", 60), ("test", 60)):
        for number in range(count):
            kind = dice.choice(["fruit", "tool"])
            colours = dice.sample(["red", "green"], dice.randrange(3))
            text = " ".join([*colours, f"{dice.choice(WORDS[kind])}{'s' * (number % 2)}", split])
            lines.append({"text": text, "split": split, "kind": kind, "colour": colours})
    lines[-1]["colour"] = ["mauve"]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'data.files = ["rows.jsonl"]\n'
        'task = [{name = "kind", kind = "single"}, {name = "colour", kind = "multi"}]\n'
    )
    return read_table(read_recipe(recipe))


def test_it_learns_both_kinds_of_tasks(table: Table) -> None:
    pytest.importorskip("fasttext", reason="fastText has no wheel for this machine")
    rows = table.split("test")
    answers = fasttext_answers(table, [row.text for row in rows])
    assert answers is not None
    kind, colour = (task.headline for task in judge_answers(table, rows, answers))
    assert kind is not None
    assert colour is not None
    assert kind > 95
    assert colour > 90


def test_without_the_package_a_run_goes_on_and_says_so(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fasttext", None)
    assert fasttext_answers(table, ["red apple"]) is None
    assert "note: no fastText beside the other figures" in capsys.readouterr().out
