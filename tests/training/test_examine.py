"""`check` finds what will hurt before hours go into it, and never stops at it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from training.examine import warnings
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
