"""Labels in a cell: one rule, and what training, the report and batch scoring make of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.bundle import Bundle, read_bundle
from profiling.report.texts import read_examples
from tables.labels import LabelError, join_labels, parse_labels, plain_labels
from tables.reader import TableReader
from training.recipe import read_recipe
from training.rows.table import DataError, read_table

CELLS = [
    (None, "single", None),
    ("", "single", None),
    ("  ", "multi", None),
    (" a ", "single", {"a"}),
    ("a|b", "single", {"a|b"}),
    ("[]", "single", {"[]"}),
    ("[]", "multi", set()),
    ([], "multi", set()),
    ("a", "multi", {"a"}),
    ("a | b", "multi", {"a", "b"}),
    (["b", " a"], "multi", {"a", "b"}),
]
WRONG = [
    (3, "single", "3; a single-label task takes one string"),
    (["a"], "single", r"\['a'\]; a single-label task takes one string"),
    ("a|", "multi", r"'a\|'; a multi-label task takes a list of strings \(in CSV joined by \|"),
    ("|", "multi", r"'\|'; a multi-label task"),
    (["a", ""], "multi", r"\['a', ''\]; a multi-label task"),
    ({"a": 1}, "multi", "{'a': 1}; a multi-label task"),
    ("['a', 'b']", "multi", "a multi-label task takes a list"),
]


@pytest.mark.parametrize(("value", "kind", "labels"), CELLS)
def test_a_cell_is_read_and_written_back(value: Any, kind: str, labels: set[str] | None) -> None:
    parsed = parse_labels(value, kind)
    assert parsed == labels
    assert parse_labels(plain_labels(parsed, kind), kind) == parsed
    if parsed and kind == "multi":
        assert parse_labels(join_labels(sorted(parsed)), kind) == parsed


@pytest.mark.parametrize(("value", "kind", "message"), WRONG)
def test_a_wrong_cell_says_what_to_give(value: Any, kind: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        parse_labels(value, kind)


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shipped(bundle_path: Path) -> Bundle:
    return read_bundle(bundle_path)


def written(folder: Path, bundle: Bundle, category: str) -> Path:
    """A CSV table with the tasks of the shipped bundle, its last row with `category`."""
    source, label = bundle.tasks[1].labels[0], bundle.tasks[2].labels[0]
    rows = [f"text {place},ingredient,{source},{label}" for place in range(30)]
    path = folder / "rows.csv"
    lines = ["text,ingredient,source,category", *rows, f"honey,ingredient,,{category}"]
    path.write_text("\n".join(lines) + "\n")
    return path


def recipe_for(path: Path) -> Path:
    recipe = path.with_suffix(".toml")
    kinds = {"ingredient": "single", "source": "single", "category": "multi"}
    tasks = [f'[[task]]\nname = "{name}"\nkind = "{kind}"\n' for name, kind in kinds.items()]
    recipe.write_text("\n".join(['[data]\nfiles = ["rows.csv"]', *tasks]))
    return recipe


@pytest.mark.parametrize(
    ("cell", "labels"), [("", None), ("[]", set()), ("a", {"a"}), ("b|a", {"a", "b"})]
)
def test_all_users_read_a_cell_alike(
    tmp_path: Path, bundle_path: Path, shipped: Bundle, cell: str, labels: set[str] | None
) -> None:
    path = written(tmp_path, shipped, cell)
    (row,) = [row for row in read_table(read_recipe(recipe_for(path))).rows if row.text == "honey"]
    assert list(row.targets) == [{"ingredient"}, None, labels]
    (example,) = [one for one in read_examples(shipped, path, "text") if one.text == "honey"]
    expected = {"ingredient": {"ingredient"}, "category": labels}
    assert example.labels == {task: them for task, them in expected.items() if them is not None}
    files = [str(path), str(tmp_path / "out.csv")]
    options = ["--bundle", str(bundle_path), "--tasks", "category"]
    command = [sys.executable, "-m", "function", "batch", *files, *options]
    subprocess.run(command, cwd=ROOT, check=True)
    with TableReader(tmp_path / "out.csv") as reader:
        *_, scored = reader
    assert scored.fields is not None
    assert scored.fields["category"] == cell
    assert parse_labels(scored.fields["category.predicted"], "multi") is not None


def test_an_empty_label_is_a_fault_for_all_who_read_labels(tmp_path: Path, shipped: Bundle) -> None:
    path = written(tmp_path, shipped, "a|")
    message = r"'a\|'; a multi-label task takes a list of strings"
    with pytest.raises(DataError, match=rf"rows\.csv:32: column 'category' has {message}"):
        read_table(read_recipe(recipe_for(path)))
    with pytest.raises(ValueError, match=message):
        read_examples(shipped, path, "text")
