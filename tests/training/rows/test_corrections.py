"""A file of corrections replaces labels, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.recipe import read_recipe
from training.rows.data_files import DataError
from training.rows.labelled_row import Row
from training.rows.table import Table, read_table

RECIPE = """
[data]
files = ["rows.csv", {path = "suspects.csv", corrects = true}]
[[task]]
name = "kind"
kind = "single"
[[task]]
name = "topics"
kind = "multi"
"""
ROWS = "text,kind,topics,split\n" + "".join(
    f"text {name},{kind},x|y,{split}\n"
    for name, kind, split in (
        ("one", "a", "train"), ("two", "a", "train"), ("three", "b", "train"),
        ("four", "b", "validation"), ("five", "a", "test"),
    )
)  # fmt: skip


def table_of(folder: Path, suspects: str) -> Table:
    (folder / "rows.csv").write_text(ROWS)
    (folder / "suspects.csv").write_text("text,kind,topics,suggestion\n" + suspects)
    (folder / "recipe.toml").write_text(RECIPE)
    return read_table(read_recipe(folder / "recipe.toml"))


def labels(row: Row) -> list[list[str]]:
    return [sorted(target or ()) for target in row.targets]


def test_labels_are_replaced_and_splits_stay(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Text  One,b,,a\ntext five,a,[],b\n")
    rows = {row.text: row for row in table.rows}
    assert len(table.rows) == 5
    assert labels(rows["text one"]) == [["b"], ["x", "y"]], "an empty cell corrects nothing"
    assert rows["text one"].split == "train"
    assert labels(rows["text five"]) == [["a"], []]
    assert labels(rows["text two"]) == [["a"], ["x", "y"]]


def test_a_text_that_no_file_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"suspects.csv:2: corrects 'text ten', a text that no"):
        table_of(tmp_path, "text ten,b,,a\n")
