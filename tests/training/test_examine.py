"""`check` finds what will hurt before hours go into it, and never stops at it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from training.examine import examine, warnings
from training.recipe import read_recipe
from training.rows.table import Table, read_table

RECIPE = """
[data]
files = ["rows.jsonl"]
[[task]]
name = "kind"
kind = "single"
[[task]]
name = "sure"
kind = "single"
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows = [{"text": f"text {i}", "kind": "ab"[i % 2], "sure": "yes"} for i in range(100)]
    rows += [{"text": f"late {i}", "kind": "a", "split": "test"} for i in range(5)]
    rows += [
        {"text": "Text 1", "kind": "b"},
        {"text": "text 2", "kind": "b"},
        {"text": "text 3", "kind": "b", "split": "test"},
        {"text": "new", "kind": "only tested", "split": "test"},
        {"text": "single", "kind": "rare"},
        {"text": "twice", "kind": "a", "split": "train"},
        {"text": "twice", "kind": "a", "split": "test"},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def table(recipe: Path) -> Table:
    return read_table(read_recipe(recipe))


def test_every_fault_is_named(table: Table) -> None:
    lines = "\n".join(warnings(table))
    assert "task kind: never in training: 'only tested'" in lines
    assert "task kind: only one training example: 'rare'" in lines
    assert "task sure: has the one label 'yes'; every answer will be it" in lines
    assert "labels that contradict each other: 'text 2' at rows.jsonl:3 and rows.jsonl:107" in lines
    assert "in more than one split" in lines


def test_of_few_rows_text_without_labels_is_asked_for(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examine(read_recipe(recipe)) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "may help" in line)
    assert line.startswith("note: ")
    assert line.endswith("(none so far); put thousands into the table, their label cells empty")


def checked(folder: Path, rows: list[dict[str, str]]) -> str:
    """All warnings of a table of these rows, which have a label of one task each."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "recipe.toml").write_text(RECIPE.partition('[[task]]\nname = "sure"')[0])
    return "\n".join(warnings(read_table(read_recipe(folder / "recipe.toml"))))


def test_text_without_labels_may_be_repeated(tmp_path: Path) -> None:
    splits = ("train", "validation", "test")
    rows = [
        {"text": text, "kind": "ab"[place % 2], "split": splits[place % 3]}
        for place, text in enumerate(words(60))
    ]
    assert "more than once" not in checked(tmp_path, [*rows, *({"text": "unlabelled"},) * 2])
    assert "1 texts occur more than once with the same" in checked(tmp_path, [*rows, rows[0]])


def words(count: int) -> list[str]:
    """Texts that differ in more than numbers."""
    return [f"text {chr(97 + place // 26)}{chr(97 + place % 26)}" for place in range(count)]


def test_labels_without_rows_to_choose_or_judge_are_named(tmp_path: Path) -> None:
    splits = ("train", "train", "validation", "test")
    rows = [
        {"text": text, "kind": "ab"[place // 40], "split": splits[place % 4]}
        for place, text in enumerate(words(80))
    ]
    rows += [{"text": f"rare {text}", "kind": "z", "split": "train"} for text in words(3)]
    lines = checked(tmp_path, rows)
    assert "no validation row has 'z': settings are chosen without them; add rows" in lines
    assert "no test row has 'z': how well they are answered is not measured; add rows" in lines
    assert "'a'" not in lines


def test_splits_that_are_too_small_for_what_they_are_to_tell_are_named(tmp_path: Path) -> None:
    """By Wilson's formula 90 % of 20 rows may be 69.9 to 97.2 %."""
    rows = [
        {"text": text, "kind": "ab"[place % 2], "split": ("train", "validation", "test")[place % 3]}
        for place, text in enumerate(words(60))
    ]
    lines = checked(tmp_path, rows)
    assert "20 validation rows, fewer than 300: scores are left as unsure" in lines
    assert "20 test rows: a figure of 90% could be 70 to 97 %; about 420 would tell it" in lines


def test_a_group_that_is_much_of_the_table_is_named(tmp_path: Path) -> None:
    rows = [{"text": text, "kind": "ab"[place % 2]} for place, text in enumerate(words(80))]
    rows += [{"text": f"Order #{place}", "kind": "a"} for place in range(20)]
    lines = checked(tmp_path, rows)
    assert "one group has 20% of the rows, all in the" in lines
    assert "'Order #0' at rows.jsonl:81 and rows.jsonl:82. Its texts differ only in num" in lines


def test_a_table_about_numbers_keeps_its_texts_apart_and_says_so(tmp_path: Path) -> None:
    lines = checked(tmp_path, [{"text": f"part {i}", "kind": "ab"[i % 2]} for i in range(100)])
    assert "most texts differ only in numbers, case or punctuation: each is taken as a gr" in lines
    assert "one group has" not in lines


def test_a_lopsided_task_is_named(recipe: Path) -> None:
    text = recipe.with_name("rows.jsonl").read_text().replace('"yes"', '"no"', 2)
    recipe.with_name("rows.jsonl").write_text(text)
    lines = "\n".join(warnings(read_table(read_recipe(recipe))))
    assert "task sure: lopsided, 9" in lines


@pytest.mark.slow
def test_check_reports_in_seconds(recipe: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training", "check", str(recipe)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "kind (single): 4 labels on 112 rows" in done.stdout
    assert "minutes on this machine" in done.stdout
