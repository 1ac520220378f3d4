"""Which rows does the data hold? The recipe's files, checked, split and read into one table.

A missing label is None and stays so: a row need not answer every task, and a row that answers
none is unlabelled text, which the teacher labels for the student. Whatever cannot be read is
reported with its file and line, several at once.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from model.heads import Heads
from tables.columns import nearest_column, no_column
from tables.labels import plain_labels
from tables.row import Fields
from training.recipe import PRICES, SPLITS, Recipe, TaskSpec
from training.rows.corrections import corrected
from training.rows.data_files import DataError, DataFileRows, recipe_columns
from training.rows.labelled_row import Row, Target, read_file, text_of
from training.rows.splits import carve, group_key, normalise

__all__ = ["DataError", "LabelledTask", "Row", "Table", "Target", "read_table", "text_of"]

REPORTED = 10  # faults named in one error message
NUMBERED = 0.5  # share of rows that differ in numbers alone: they are what the table is about

TextKey = Callable[[str], str]
"""The form of a text that is the same for all texts of its group."""


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
    notes: tuple[str, ...] = ()
    """How the files are read, where a person might want to know."""
    empty_cells: tuple[int, ...] = ()
    """Of each task: rows whose file has its column, with nothing in it."""

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
    files = [DataFileRows(file.path, recipe_columns(recipe)) for file in recipe.data.files]
    rows: list[Row] = []
    corrections: list[Row] = []
    faults: list[str] = []
    empty_cells = Counter[str]()
    for file, declared in zip(files, recipe.data.files, strict=True):
        of_file, faults_of_file = read_file(file, declared.split, recipe)
        (corrections if declared.corrects else rows).extend(of_file)
        faults += faults_of_file
        for index, task in enumerate(recipe.tasks):
            if not file.columns.keys().isdisjoint(task.label_columns):
                empty_cells[task.name] += sum(row.targets[index] is None for row in of_file)
    if faults:
        more = f"\n  and {len(faults) - REPORTED} more" if len(faults) > REPORTED else ""
        raise DataError("\n  ".join(["the data has faults:", *faults[:REPORTED]]) + more)
    columns = {column: None for file in files for column in file.columns}
    for name, column in (("group", recipe.data.group), ("slice", recipe.data.slice)):
        if column and column not in columns:
            problem = f"no file has a column {column!r}"
            raise DataError(f"[data] {name}: {problem}: {no_column(column, columns)}")
    rows = corrected(rows, corrections)
    labelled = [row for row in rows if row.labelled]
    if not labelled:
        raise DataError(_no_labels(recipe.tasks, columns))
    numbered = _is_numbered(labelled)
    key: TextKey = normalise if numbered else group_key
    labelled = _with_splits([_grouped(row, key) for row in labelled], recipe.data.seed)
    transfer = _transfer([_grouped(row, key) for row in rows if not row.labelled], labelled, key)
    tasks = tuple(
        _labelled(task, index, labelled, columns) for index, task in enumerate(recipe.tasks)
    )
    _check_slices(recipe, {row.slice for row in labelled if row.split == "test"})
    return Table(
        tasks,
        (*labelled, *transfer),
        numbered,
        tuple(_notes(files, recipe, tasks)),
        tuple(empty_cells[task.name] for task in recipe.tasks),
    )


def _notes(
    files: list[DataFileRows], recipe: Recipe, tasks: tuple[LabelledTask, ...]
) -> Iterator[str]:
    """How the files were read, columns that a file may have misspelt, labels that no row has."""
    for file in files:
        yield from file.notes
        others = file.columns.keys() - set(recipe_columns(recipe))
        for task in recipe.tasks:
            is_misspelt = task.column not in file.columns and nearest_column(task.column, others)
            if is_misspelt and not task.columns:
                problem = no_column(task.column, file.columns)
                yield f"{file.path}: {problem} Its rows are not labelled for task {task.name}"
    for task, labelled in zip(recipe.tasks, tasks, strict=True):
        if never := [name for name in task.columns if name not in labelled.labels]:
            names = ", ".join(map(repr, never))
            yield f"task {task.name}: no row has 1 in column {names}: no label of the bundle"


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
            raise DataError(f"no rows left for the {name} split; {_too_few(rows)}")
    return [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]


def _too_few(rows: list[Row]) -> str:
    """Why no split can be carved out of these rows, and what to do."""
    pool = [row.group for row in rows if row.split in (None, "train")]
    if not pool:
        return 'no row has split "train" or none; give such rows'
    return f"{len(pool)} rows in {len(set(pool))} groups, of split train or none, are too few"


def _labelled(
    task: TaskSpec, index: int, rows: list[Row], columns: Collection[str]
) -> LabelledTask:
    labels = {label for row in rows for label in row.targets[index] or ()}
    if not labels:
        raise DataError(f"task {task.name!r}: {_no_labels([task], columns)}")
    for key in PRICES:
        if unknown := sorted({*(getattr(task, key) or ())} - labels):
            problem = f"no row has the label {unknown[0]!r}{_hint(unknown[0], labels)}"
            raise DataError(f"[[task]] {task.name} {key}: {problem}")
    return LabelledTask(task.name, task.kind, tuple(sorted(labels)))


def _check_slices(recipe: Recipe, of_test: Collection[str | None]) -> None:
    """Slices that are to judge for good have rows that judge."""
    never_fitted = recipe.ship.never_fitted
    if never_fitted and recipe.data.slice is None:
        raise DataError("[ship] never_fitted: give [data] slice too, the column of the slices")
    for name in never_fitted:
        if name not in of_test:
            hint = _hint(name, [each for each in of_test if each])
            raise DataError(f"[ship] never_fitted: no test row has the slice {name!r}{hint}")


def _hint(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _no_labels(tasks: Collection[TaskSpec], columns: Collection[str]) -> str:
    """What to say where no row has a label of these tasks."""
    names = [name for task in tasks for name in task.label_columns]
    where = f"column {names[0]!r}" if len(names) == 1 else f"any of the columns {', '.join(names)}"
    missing = [no_column(name, columns) for name in names if name not in columns]
    remedies = missing or ["check the column's name in the recipe"]
    return "; ".join([f"no row has a label in {where}", *remedies])


def _transfer(rows: list[Row], labelled: list[Row], key: TextKey) -> list[Row]:
    """The unlabelled `rows` that may be learnt from: each text once, nothing that is held out, and
    nothing that stands with labels elsewhere, as a text of to_label.csv does once it is labelled.
    """
    held_out = [row for row in labelled if row.split != "train"]
    groups, texts = {row.group for row in held_out}, {key(row.text) for row in held_out}
    free = (
        replace(row, split=None)
        for row in rows
        if row.split in (None, "train") and row.group not in groups and key(row.text) not in texts
    )
    with_labels = {normalise(row.text) for row in labelled}
    by_text = {normalise(row.text): row for row in free}
    return [row for text, row in by_text.items() if text not in with_labels]
