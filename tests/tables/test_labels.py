"""Labels in a cell: one rule, and what training, the report and batch scoring make of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model.bundle import Bundle, read_bundle
from profiling.report.texts import read_examples
from tables.labels import LabelError, join_labels, parse_labels, parse_marks, plain_labels
from tables.reader import TableReader
from training.recipe import read_recipe
from training.rows.data_files import DataError
from training.rows.table import read_table

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
    (float("nan"), "single", None),
    (float("nan"), "multi", None),
    (1, "single", {"1"}),
    (1.0, "single", {"1"}),
    ("1", "single", {"1"}),
    ("1.0", "single", {"1"}),
    (" 12.00 ", "single", {"12"}),
    ("-3.0", "single", {"-3"}),
    ("1.5", "single", {"1.5"}),
    ("007.0", "single", {"007.0"}),
    ("v1.0", "single", {"v1.0"}),
    (True, "single", {"true"}),
    ("N/A", "single", {"N/A"}),
    (2, "multi", {"2"}),
    ([1, 2.0, "3.0", False], "multi", {"1", "2", "3", "false"}),
    ("1.0|2", "multi", {"1", "2"}),
    (2.5, "single", {"2.5"}),
    (-0.5, "multi", {"-0.5"}),
    ([1.5, "1.5", 2], "multi", {"1.5", "2"}),
]
WRONG = [
    ({"a": 1}, "single", r"{'a': 1}; a single-label task takes one string or number$"),
    (["a"], "single", r"\['a'\]; a single-label task takes one string or number, or declare"),
    (
        "a|",
        "multi",
        r"'a\|'; a multi-label task takes a list of strings .* \(in CSV joined",
    ),
    ("|", "multi", r"'\|'; a multi-label task"),
    (["a", ""], "multi", r"\['a', ''\]; a multi-label task"),
    ({"a": 1}, "multi", "{'a': 1}; a multi-label task"),
    ("['a', 'b']", "multi", "a multi-label task takes a list"),
    (["a", None], "multi", "a multi-label task takes a list"),
    ([float("inf")], "multi", "a multi-label task takes a list"),
    (float("inf"), "single", "inf; a single-label task takes one string or number$"),
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


def test_a_separator_splits_the_cell_and_a_bar_then_does_not() -> None:
    assert parse_labels("a# b |c", "multi", "#") == frozenset(["a", "b |c"])
    assert parse_labels("[]", "multi", "#") == frozenset()
    assert parse_labels(["a#b"], "multi", "#") == frozenset(["a#b"])
    with pytest.raises(LabelError, match="in CSV joined by #"):
        parse_labels("a#", "multi", "#")


def test_marks_are_the_labels_whose_cells_hold_one() -> None:
    assert parse_marks({"a": "1", "b": 0, "c": 1.0, "d": "TRUE", "e": False}) == frozenset("acd")
    assert parse_marks({"a": "0", "b": 0.0}) == frozenset()
    assert parse_marks({"a": "", "b": None, "c": float("nan")}) is None
    with pytest.raises(LabelError, match="'-1' in column 'a'; give 0 or 1"):
        parse_marks({"a": "-1", "b": "1"})
    with pytest.raises(LabelError, match=r"0\.5 in column 'a'; give 0 or 1"):
        parse_marks({"a": 0.5})
    with pytest.raises(LabelError, match="None in column 'b'; give 0 or 1"):
        parse_marks({"a": "1", "b": None})


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
    message = r"'a\|'; a multi-label task takes a list of strings or numbers"
    with pytest.raises(DataError, match=rf"rows\.csv:32: column 'category' has {message}"):
        read_table(read_recipe(recipe_for(path)))
    with pytest.raises(ValueError, match=message):
        read_examples(shipped, path, "text")
