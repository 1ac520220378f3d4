"""Which rows does the data hold? The recipe's files, checked, split and read into one table.

A missing label is None and stays so: a row need not answer every task, and a row that answers
none is unlabelled text, which the teacher labels for the student. Whatever cannot be read is
reported with its file and line, several at once.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from model.encoding import printable
from model.heads import Heads
from tables.labels import LabelError, parse_labels, plain_labels
from tables.reader import Fields, TableError, TableReader, TableRow
from training.recipe import PRICES, SPLITS, Recipe, TaskSpec
from training.rows.splits import carve, group_key, normalise

REPORTED = 10  # faults named in one error message
NUMBERED = 0.5  # share of rows that differ in numbers alone: they are what the table is about

TextKey = Callable[[str], str]
"""The form of a text that is the same for all texts of its group."""
Target = frozenset[str] | None
"""The labels of one row for one task; None: not labelled. A single-label task has one."""


class DataError(ValueError):
    """The data cannot be used; the message names files and lines and says how to mend them."""


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


class LabelledTask(NamedTuple):
    """A task and its labels, in the order of their columns."""

    name: str
    kind: str
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """All rows, split, and the tasks that they are labelled for."""

    tasks: tuple[LabelledTask, ...]
    rows: tuple[Row, ...]
    """Every labelled row has a split; unlabelled rows have None."""
    numbered: bool = False
    """Most texts differ only in numbers, case or punctuation, so that each is its own group."""

    @cached_property
    def heads(self) -> Heads:
        """Which columns of the logits belong to which task."""
        return Heads(self.tasks)

    def split(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.split == name]

    def train_rows(self, task: str) -> Counter[str]:
        """How many training rows each label of `task` has."""
        place = [each.name for each in self.tasks].index(task)
        return Counter(label for row in self.split("train") for label in row.targets[place] or ())

    @property
    def transfer(self) -> list[Row]:
        """Unlabelled rows: text for the vocabulary and for distillation."""
        return [row for row in self.rows if row.split is None]

    def json_labels(self, row: Row) -> Fields:
        """{task: its labels as a JSON field holds them}; None: not labelled."""
        return {
            task.name: plain_labels(target, task.kind)
            for task, target in zip(self.tasks, row.targets, strict=True)
        }


def read_table(recipe: Recipe) -> Table:
    """Read the recipe's files, carve missing splits, list the labels. Raises DataError."""
    rows: list[Row] = []
    faults: list[str] = []
    columns: set[str] = set()
    for file in recipe.data.files:
        for row in read_rows(file.path):
            place = f"{file.path}:{row.line}"
            columns.update(row.fields or ())
            try:
                rows.append(_row(row, place, file.split, recipe))
            except DataError as error:
                faults.append(f"{place}: {error}")
    if faults:
        more = f"\n  and {len(faults) - REPORTED} more" if len(faults) > REPORTED else ""
        raise DataError("\n  ".join(["the data has faults:", *faults[:REPORTED]]) + more)
    for name, column in (("group", recipe.data.group), ("slice", recipe.data.slice)):
        if column and column not in columns:
            raise DataError(f"[data] {name}: no file has a column {column!r}")
    labelled = [row for row in rows if row.labelled]
    if not labelled:
        label_columns = ", ".join(task.column for task in recipe.tasks)
        raise DataError(f"no row has a label in any of the columns {label_columns}")
    numbered = _is_numbered(labelled)
    key: TextKey = normalise if numbered else group_key
    labelled = _with_splits([_grouped(row, key) for row in labelled], recipe.data.seed)
    transfer = _transfer([_grouped(row, key) for row in rows if not row.labelled], labelled, key)
    tasks = tuple(_labelled(task, index, labelled) for index, task in enumerate(recipe.tasks))
    return Table(tasks, (*labelled, *transfer), numbered)


def read_rows(path: Path) -> Iterator[TableRow]:
    """The rows of one file, at least one; raises DataError when the file is no table."""
    empty = True
    try:
        with TableReader(path) as reader:
            for row in reader:
                empty = False
                yield row
    except TableError as error:
        raise DataError(str(error)) from None
    if empty:
        raise DataError(f"{path}: empty; give a file with rows")


def _row(row: TableRow, place: str, split: str | None, recipe: Recipe) -> Row:
    """The row as the recipe reads it; `split` is the file's. Raises DataError."""
    if row.fields is None:
        raise DataError(row.problem)
    fields, data = row.fields, recipe.data
    text = text_of(fields, data.text)
    if not text.strip():
        raise DataError(f"column {data.text!r} has {text!r}; every row needs a text")
    split = split or fields.get(data.split) or None
    if split not in (None, *SPLITS):
        raise DataError(f"column {data.split!r} has {split!r}; give one of {', '.join(SPLITS)}")
    group = fields.get(data.group) if data.group else None
    slice_name = fields.get(data.slice) if data.slice else None
    return Row(
        text=text,
        targets=tuple(_target(fields, task) for task in recipe.tasks),
        split=split,
        group="" if group in (None, "") else f"group:{group}",
        slice=slice_name or None,
        place=place,
    )


def text_of(fields: Fields, column: str) -> str:
    """The text of a row; raises DataError when there is none that can be encoded."""
    text: Any = fields.get(column)
    if not isinstance(text, str):
        problem = f"has {text!r}" if column in fields else f"is not among {', '.join(fields)}"
        raise DataError(f"column {column!r} {problem}; every row needs a text")
    if printable(text) != text:
        raise DataError(f"column {column!r} holds half a surrogate pair; mend its encoding")
    return text


def _target(fields: Fields, task: TaskSpec) -> Target:
    try:
        return parse_labels(fields.get(task.column), task.kind)
    except LabelError as error:
        raise DataError(f"column {task.column!r} has {error}") from None


def _is_numbered(rows: list[Row]) -> bool:
    """Whether one group without a name has most of the rows."""
    sizes = Counter(group_key(row.text) for row in rows if not row.group)
    return max(sizes.values(), default=0) > NUMBERED * len(rows)


def _grouped(row: Row, key: TextKey) -> Row:
    """The row, in the group of its text's key unless the data name one."""
    return row if row.group else replace(row, group=f"text:{key(row.text)}")


def _with_splits(rows: list[Row], seed: int) -> list[Row]:
    """Carve the splits that no row has, by group; refuse groups that straddle given splits."""
    splits = carve([(row.group, row.split) for row in rows], seed)
    split_of_group: dict[str, str] = {}
    for row, split in zip(rows, splits, strict=True):
        named = row.group.startswith("group:")  # of the same text in two splits `check` warns
        if named and split_of_group.setdefault(row.group, split) != split:
            raise DataError(
                f"{row.place}: group {row.group!r} is in split {split!r} here and in "
                f"{split_of_group[row.group]!r} before; give all rows of a group the same split"
            )
    for name in SPLITS:
        if name not in splits:
            size = f"{len(rows)} rows in {len({row.group for row in rows})} groups"
            raise DataError(f"no rows left for the {name} split; {size} are too few")
    return [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]


def _labelled(task: TaskSpec, index: int, rows: list[Row]) -> LabelledTask:
    labels = {label for row in rows for label in row.targets[index] or ()}
    if not labels:
        raise DataError(
            f"task {task.name!r}: no row has a label in column {task.column!r}; "
            "check the column's name in the recipe"
        )
    for key in PRICES:
        if unknown := sorted({*(getattr(task, key) or ())} - labels):
            near = difflib.get_close_matches(unknown[0], labels, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(
                f"[[task]] {task.name} {key}: no row has the label {unknown[0]!r}{hint}"
            )
    return LabelledTask(task.name, task.kind, tuple(sorted(labels)))


def _transfer(rows: list[Row], labelled: list[Row], key: TextKey) -> list[Row]:
    """Those of the unlabelled `rows` that may be learnt from: none of what is held out."""
    held_out = [row for row in labelled if row.split != "train"]
    groups, texts = {row.group for row in held_out}, {key(row.text) for row in held_out}
    return [
        replace(row, split=None)
        for row in rows
        if row.split in (None, "train") and row.group not in groups and key(row.text) not in texts
    ]
