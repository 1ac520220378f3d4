"""A bundle that is worse than a simple model is told to be, with what may be the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.judge.behind import BEHIND, behind, behind_lines
from training.judge.judged import judge_answers
from training.pipeline import run_stages
from training.recipe import read_recipe
from training.run import Run

RECIPE = """
[data]
files = ["rows.jsonl"]
max_tokens = 16
long_texts = "head"
[[task]]
name = "mood"
kind = "single"
"""
MOODS = ("good", "bad")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A table whose texts are cut before what decides, its vocabulary made."""
    rows = [
        {"text": f"{word} and so on {'and on ' * 20} {mood}", "mood": mood, "split": split}
        for mood in MOODS
        for split, words in (("train", 40), ("validation", 5), ("test", 30))
        for word in (
            f"{split} {chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(words)
        )
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    run = Run(read_recipe(tmp_path / "recipe.toml"), tmp_path / "out")
    run_stages(run, "vocabulary")
    return run


def test_it_is_told_with_the_reason(run: Run) -> None:
    from training.fit.batches import targets

    rows = run.table.split("test")
    right = targets(run.table, rows) > 0
    guessed = right.copy()
    guessed[:, 0], guessed[:, 1] = True, False
    judged = {name: judge_answers(run.table, rows, marks) for name, marks in
              (("baseline", right), ("bundle", guessed))}  # fmt: skip
    metrics = behind(run, judged["bundle"], {"baseline": judged["baseline"]})
    worse, reason = behind_lines(metrics, {"baseline": "TF-IDF + linear"})
    assert worse.startswith("mood: 50.0 is worse than the 100.0 of TF-IDF + linear, by 50.0 points")
    assert "100.0 % of the texts are longer than 16 tokens" in reason


def test_chance_is_not_told(run: Run) -> None:
    from training.fit.batches import targets

    rows = run.table.split("test")
    right = targets(run.table, rows) > 0
    one_wrong = right.copy()
    one_wrong[0] = ~right[0]
    judged, other = (judge_answers(run.table, rows, marks) for marks in (one_wrong, right))
    assert BEHIND not in behind(run, judged, {"baseline": other})
