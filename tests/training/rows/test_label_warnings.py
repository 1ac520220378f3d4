"""Labels that are probably not meant as they are written are told, and neither merged nor lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from training.examine import warnings
from training.recipe import read_recipe
from training.rows.label_warnings import label_warnings
from training.rows.table import Table, read_table

RECIPE = '[data]\nfiles = ["a.jsonl"]\n[[task]]\nname = "topic"\nkind = "{kind}"\n{keys}\n'


def table_of(folder: Path, labels: Iterable[Any], kind: str = "single", keys: str = "") -> Table:
    """A table with a row for each label, each of them six times."""
    rows = [{"topic": label} for label in labels for _ in range(6)]
    lines = [
        json.dumps({"text": f"row {chr(97 + i // 26)}{chr(97 + i % 26)}", **row})
        for i, row in enumerate(rows)
    ]
    (folder / "a.jsonl").write_text("\n".join(lines))
    (folder / "recipe.toml").write_text(RECIPE.format(kind=kind, keys=keys))
    return read_table(read_recipe(folder / "recipe.toml"))


def told(folder: Path, labels: Iterable[Any], kind: str = "single", keys: str = "") -> list[str]:
    return list(label_warnings(table_of(folder, labels, kind, keys)))


def test_clean_labels_are_not_warned_of(tmp_path: Path) -> None:
    assert told(tmp_path, ["billing", "food & drink", "food", "drink", "a/b", "a-b"]) == []
    assert told(tmp_path, [["food"], ["drink"], [], None], "multi") == []


@pytest.mark.parametrize(
    "labels",
    [
        ["billing", "Billing", "BILLING"],
        ["a b", "a\u00a0b", "ab"],
        ["pay", "\uff50\uff41\uff59", "pa\u200by"],
        ["stra\u00dfe", "STRASSE"],
    ],
)
def test_spellings_of_one_label_are_one_warning_that_names_all(
    tmp_path: Path, labels: list[str]
) -> None:
    table = table_of(tmp_path, [*labels, "other"])
    assert set(table.tasks[0].labels) == {*labels, "other"}, "none is merged"
    (warning,) = label_warnings(table)
    assert warning.startswith("task topic: labels are equal but for case, width, spaces or invis")
    assert all(repr(label) in warning for label in labels)
    assert "'other'" not in warning
    assert warning in list(warnings(table))


def test_labels_that_look_like_missing_values_have_a_warning_each(tmp_path: Path) -> None:
    table = table_of(tmp_path, ["nan", "None", "N/A", "other"])
    lines = list(label_warnings(table))
    assert len(lines) == 3
    for label in ("nan", "None", "N/A"):
        start = f"task topic: the label {label!r} of 6 rows looks like a missing value"
        assert sum(line.startswith(start) for line in lines) == 1
    assert len(table.rows) == 24
    assert all(row.labelled for row in table.rows), "no row is dropped"


@pytest.mark.parametrize("separator", ["#", ", ", ";", "/", " ", "::", "\t", "\\"])
def test_joined_labels_are_one_warning_with_the_key_that_splits_them(
    tmp_path: Path, separator: str
) -> None:
    labels = ["a", "b", "c", f"a{separator}b", f"a{separator}b{separator}c", "d"]
    (warning,) = told(tmp_path, [*labels, []], "multi")
    assert "12 rows with" in warning
    key = warning.partition("write ")[2].partition(" into the [[task]]")[0]
    assert key.startswith('separator = "')
    table = table_of(tmp_path, [*labels, []], "multi", key)
    assert table.tasks[0].labels == ("a", "b", "c", "d")
    assert list(label_warnings(table)) == []


@pytest.mark.parametrize("label", ["['a', 'b']", '{"a": 1}', "a|b", "a, b", "[]"])
def test_a_single_label_that_looks_like_a_list_is_told(tmp_path: Path, label: str) -> None:
    (warning,) = told(tmp_path, ["a", "b", label])
    assert warning.startswith(f"task topic: 6 rows with {label!r} look like lists")
    assert 'kind = "multi"' in warning


def test_empty_cells_without_none_apply_are_told_of_a_multi_label_task(tmp_path: Path) -> None:
    (warning,) = told(tmp_path, [["a"], ["b"], None], "multi")
    assert warning.startswith("task topic: 6 cells are empty and none is []: an empty cell means")
    assert told(tmp_path, [["a"], ["b"], None, []], "multi") == []
    assert told(tmp_path, ["a", "b", None]) == []


def test_a_file_without_the_column_has_no_empty_cells(tmp_path: Path) -> None:
    table_of(tmp_path, [["a"], ["b"]], "multi")
    (tmp_path / "b.jsonl").write_text('{"text": "only text"}\n')
    path = tmp_path / "recipe.toml"
    path.write_text(path.read_text().replace('["a.jsonl"]', '["a.jsonl", "b.jsonl"]'))
    assert list(label_warnings(read_table(read_recipe(path)))) == []
