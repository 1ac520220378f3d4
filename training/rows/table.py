"""What rows did the person bring? JSONL, JSONL.gz and CSV files, read into one table.

A missing label is None and stays so: a row need not answer every task, and a row that answers
none is unlabelled text, which the teacher labels for the student. Whatever cannot be read is
reported with its file and line, several at once.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from model.heads import Heads
from training.recipe import SPLITS, Data, DataFile, Recipe, TaskSpec
from training.rows.splits import carve, normalise

REPORTED = 10  # faults named in one error message

Target = frozenset[str] | None
"""The labels of one row for one task; None: not labelled. A single-label task holds one."""


class DataError(ValueError):
    """The data cannot be used; the message names files and lines and says what to mend."""


@dataclass(frozen=True)
class Row:
    text: str
    targets: tuple[Target, ...]
    """One entry per task, in the recipe's order."""
    split: str | None
    group: str
    slice: str | None
    place: str
    """`file:line`, for messages."""

    @property
    def labelled(self) -> bool:
        return any(target is not None for target in self.targets)


class LabelledTask(NamedTuple):
    """A task and its labels in their final order."""

    name: str
    kind: str
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """All rows, split, and the labels of each task in their final order."""

    tasks: tuple[TaskSpec, ...]
    labels: tuple[tuple[str, ...], ...]
    rows: tuple[Row, ...]
    """Every labelled row has a split; unlabelled rows have None."""

    @cached_property
    def heads(self) -> Heads:
        """Which columns of the logits belong to which task."""
        return Heads(
            LabelledTask(task.name, task.kind, labels)
            for task, labels in zip(self.tasks, self.labels, strict=True)
        )

    def split(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.split == name]

    @property
    def transfer(self) -> list[Row]:
        """Unlabelled rows: text for the vocabulary and for distillation."""
        return [row for row in self.rows if row.split is None]


def read_table(recipe: Recipe) -> Table:
    """Read the recipe's files, carve missing splits, list the labels. Raises DataError."""
    rows: list[Row] = []
    faults: list[str] = []
    columns: set[str] = set()
    for file in recipe.data.files:
        for row in _read_file(file, recipe.data, recipe.tasks, columns):
            (faults if isinstance(row, str) else rows).append(row)  # type: ignore[arg-type]
    if faults:
        more = f"\n  and {len(faults) - REPORTED} more" if len(faults) > REPORTED else ""
        raise DataError("\n  ".join(["the data has faults:", *faults[:REPORTED]]) + more)
    for key, column in (("group", recipe.data.group), ("slice", recipe.data.slice)):
        if column and column not in columns:
            raise DataError(f"[data] {key}: no file has a column {column!r}")
    labelled = [row for row in rows if row.labelled]
    if not labelled:
        wanted = ", ".join(task.column for task in recipe.tasks)
        raise DataError(f"no row has a label in any of the columns {wanted}")
    labelled = _with_splits(labelled, recipe.data.seed)
    labels = tuple(_labels(labelled, index, task) for index, task in enumerate(recipe.tasks))
    return Table(recipe.tasks, labels, (*labelled, *_transfer(rows, labelled)))


def _transfer(rows: list[Row], labelled: list[Row]) -> list[Row]:
    """Unlabelled rows that may be learnt from: none of what is held out, in any form."""
    held = [row for row in labelled if row.split != "train"]
    groups, texts = {row.group for row in held}, {normalise(row.text) for row in held}
    return [
        replace(row, split=None)
        for row in rows
        if not row.labelled
        and row.split in (None, "train")
        and row.group not in groups
        and normalise(row.text) not in texts
    ]


def _with_splits(rows: list[Row], seed: int) -> list[Row]:
    """Carve the splits that no row has, by group; refuse groups that straddle given splits."""
    counts = Counter(label for row in rows for label in _labels_of(row))
    keys = [
        (row.group, min(_labels_of(row), key=lambda label: (counts[label], label)), row.split)
        for row in rows
    ]
    splits = carve(keys, seed)
    seen: dict[str, str] = {}
    for row, split in zip(rows, splits, strict=True):
        named = row.group.startswith("group:")  # the same text in two given splits: see `check`
        if named and seen.setdefault(row.group, split) != split:
            raise DataError(
                f"{row.place}: group {row.group!r} is in split {split!r} here and in "
                f"{seen[row.group]!r} before; give all rows of a group the same split"
            )
    held = Counter(splits)
    for name in SPLITS:
        if not held[name]:
            raise DataError(f"no rows left for the {name} split; {len(rows)} rows are too few")
    return [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]


def _labels_of(row: Row) -> list[tuple[int, str]]:
    """(task, label) of all its labels; the rarest of them is what carving is stratified by."""
    return [
        (index, label)
        for index, target in enumerate(row.targets)
        if target is not None
        for label in target or ("",)
    ]


def _labels(rows: list[Row], index: int, task: TaskSpec) -> tuple[str, ...]:
    found = {label for row in rows for label in row.targets[index] or ()}
    if not found:
        raise DataError(
            f"task {task.name!r}: no row has a label in column {task.column!r}; "
            "check the column's name in the recipe"
        )
    return tuple(sorted(found))


def _read_file(
    file: DataFile, data: Data, tasks: tuple[TaskSpec, ...], columns: set[str]
) -> Iterator[Row | str]:
    """Yield a Row, or a sentence on what is wrong, for each record; add to `columns` seen."""
    count = 0
    for line, record in records(file.path):
        count += 1
        place = f"{file.path}:{line}"
        if isinstance(record, str):
            yield f"{place}: {record}"
            continue
        columns.update(record)
        try:
            yield _row(record, place, file.split, data, tasks)
        except DataError as error:
            yield f"{place}: {error}"
    if not count:
        raise DataError(f"{file.path}: empty; give rows with a {data.text!r} column")


def _row(
    record: dict[str, Any], place: str, split: str | None, data: Data, tasks: tuple[TaskSpec, ...]
) -> Row:
    text = record.get(data.text)
    if not isinstance(text, str) or not text.strip():
        found = f"has {text!r}" if data.text in record else f"is not among {', '.join(record)}"
        raise DataError(f"column {data.text!r} {found}; every row needs a text")
    if not _is_unicode(text):
        raise DataError(f"column {data.text!r} holds half a surrogate pair; mend its encoding")
    split = split or record.get(data.split) or None
    if split not in (None, *SPLITS):
        raise DataError(f"column {data.split!r} has {split!r}; give one of {', '.join(SPLITS)}")
    group = record.get(data.group) if data.group else None
    name = record.get(data.slice) if data.slice else None
    return Row(
        text=text,
        targets=tuple(_target(record.get(task.column), task) for task in tasks),
        split=split,
        group=f"text:{normalise(text)}" if group in (None, "") else f"group:{group}",
        slice=name or None,
        place=place,
    )


def _target(value: Any, task: TaskSpec) -> Target:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if task.kind == "single":
        if not isinstance(value, str):
            raise DataError(
                f"column {task.column!r} has {value!r}; a single-label task takes one string, "
                'or declare the task kind = "multi"'
            )
        return frozenset([value.strip()])
    if isinstance(value, str):
        value = [] if value.strip() == "[]" else value.split("|")
    if not isinstance(value, list) or not all(map(_is_label, value)):
        raise DataError(
            f"column {task.column!r} has {value!r}; a multi-label task takes a list of strings "
            "(in CSV joined by |, [] for none)"
        )
    return frozenset(label.strip() for label in value)


def _is_label(value: Any) -> bool:
    """Whether it can be one label of several; "['a'" is a piece of a list in another notation."""
    return isinstance(value, str) and bool(value.strip()) and not value.lstrip().startswith("[")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def records(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield (line, record) pairs; a record that cannot be read is a sentence instead."""
    try:
        name = path.name.lower()
        if name.endswith(".csv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _csv_records(file, path)
        elif name.endswith(".jsonl.gz"):
            with gzip.open(path) as lines:
                yield from _json_records(lines)
        elif name.endswith(".jsonl"):
            with path.open("rb") as lines:
                yield from _json_records(lines)
        else:
            raise DataError(f"{path}: give a .jsonl, .jsonl.gz or .csv file")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: {reason}; give the path of a data file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None


def _json_records(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield number, "not UTF-8; save the file as UTF-8"
        except ValueError as error:
            yield number, f"not JSON ({error}); give one JSON object per line"
        else:
            yield number, record if isinstance(record, dict) else "not a JSON object"


def _csv_records(lines: Iterable[str], path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.DictReader(lines)
    try:
        header = reader.fieldnames or []
        twice = [column for column, count in Counter(header).items() if count > 1]
        if twice:
            raise DataError(f"{path}: two columns are named {twice[0]!r}; rename one")
        for record in reader:
            line = reader.line_num
            if None in record:
                yield line, "has more cells than the header; quote commas within cells"
            elif None in record.values():
                yield line, f"has fewer cells than the header's {len(record)}"
            else:
                yield line, record
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not CSV: {error}") from None
