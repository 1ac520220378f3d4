"""One row of a file as a recipe reads it: its text, labels, split, group and slice, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from model.encoding import is_blank, printable
from tables.columns import no_column
from tables.labels import (
    SEPARATOR,
    LabelError,
    is_missing,
    parse_label,
    parse_labels,
    parse_marks,
)
from tables.row import Fields, TableRow
from training.recipe import SPLITS, Recipe, Split, TaskSpec
from training.rows.data_files import DataError, DataFileRows

Target = frozenset[str] | None
"""The labels of one row for one task; None: not labelled. A single-label task has one."""


@dataclass(frozen=True)
class Row:
    """One text and what is known about it."""

    text: str
    targets: tuple[Target, ...]
    """One entry per task, in the recipe's order."""
    split: str | None
    group: str
    """Rows of one group never straddle splits."""
    slice: str | None
    place: str
    """`file:line`, for messages."""

    @property
    def labelled(self) -> bool:
        return any(target is not None for target in self.targets)


def read_file(
    file: DataFileRows, split: Split | None, recipe: Recipe
) -> tuple[list[Row], list[str]]:
    """The rows of a file, and its faults; a column that it lacks is one fault."""
    rows: list[Row] = []
    faults: list[str] = []
    for row in file:
        place = f"{file.path}:{row.line}"
        try:
            rows.append(_row(row, place, split, recipe))
        except DataError as error:
            faults.append(f"{place}: {error}")
    required = [recipe.data.text, *_columns_of_marks(file, recipe)] if file.columns else []
    missing = [column for column in required if column not in file.columns]
    if missing:
        return [], [f"{file.path}: {no_column(column, file.columns)}" for column in missing]
    return rows, faults


def _columns_of_marks(file: DataFileRows, recipe: Recipe) -> Iterator[str]:
    """The 0/1 columns of tasks that the file has any of."""
    for task in recipe.tasks:
        if not file.columns.keys().isdisjoint(task.columns):
            yield from task.columns


def _row(row: TableRow, place: str, split: str | None, recipe: Recipe) -> Row:
    """The row as the recipe reads it; `split` is the file's. Raises DataError."""
    if row.fields is None:
        raise DataError(row.problem)
    fields, data = row.fields, recipe.data
    text = text_of(fields, data.text)
    if is_blank(text):
        raise DataError(f"column {data.text!r} has {text!r}; every row needs a text")
    split = split or _name(fields, data.split)
    if split not in (None, *SPLITS):
        raise DataError(f"column {data.split!r} has {split!r}; give one of {', '.join(SPLITS)}")
    group = _name(fields, data.group)
    return Row(
        text=text,
        targets=tuple(_target(fields, task) for task in recipe.tasks),
        split=split,
        group="" if group is None else f"group:{group}",
        slice=_name(fields, data.slice),
        place=place,
    )


def text_of(fields: Fields, column: str) -> str:
    """The text of a row; raises DataError when there is none that can be encoded."""
    text: Any = fields.get(column)
    if not isinstance(text, str):
        problem = f"has {text!r:.100}" if column in fields else f"is not among {', '.join(fields)}"
        raise DataError(f"column {column!r} {problem}; every row needs a text")
    _refuse_halves(text, column)
    return text


def _refuse_halves(text: str, column: str) -> None:
    """Raise DataError for half a surrogate pair, which no file in UTF-8 can hold."""
    if printable(text) != text:
        raise DataError(f"column {column!r} holds half a surrogate pair; mend its encoding")


def _name(fields: Fields, column: str | None) -> str | None:
    """The split, group or slice of a row as text, in the form of labels; None: it has none.

    Raises DataError.
    """
    if column is None or is_missing(value := fields.get(column)):
        return None
    if isinstance(value, list | dict):
        raise DataError(f"column {column!r} has {value!r:.100}; give a string or a number")
    name = parse_label(value) or str(value)
    _refuse_halves(name, column)
    return name


def _target(fields: Fields, task: TaskSpec) -> Target:
    try:
        if task.columns:
            return parse_marks({column: fields.get(column) for column in task.columns})
        target = parse_labels(fields.get(task.column), task.kind, task.separator or SEPARATOR)
    except LabelError as error:
        column = f"column {task.column!r}" if not task.columns else f"task {task.name!r}"
        raise DataError(f"{column} has {error}") from None
    for label in target or ():
        _refuse_halves(label, task.column)
    return target
