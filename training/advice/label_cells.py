"""The labels of a row as the columns of its recipe hold them, to be edited and read again."""

from __future__ import annotations

from collections.abc import Sequence

from tables.labels import NONE_APPLY, SEPARATOR, LabelError, parse_labels
from tables.reader import Fields
from training.rows.labelled_row import Target
from training.task_spec import TaskSpec


def label_columns(tasks: Sequence[TaskSpec]) -> list[str]:
    return [column for task in tasks for column in task.label_columns]


def label_cells(task: TaskSpec, target: Target) -> Fields:
    """{column: its cell}; nothing for what is not labelled, or could not be read back."""
    if target is None:
        return dict.fromkeys(task.label_columns)
    if task.columns:
        return {column: str(int(column in target)) for column in task.columns}
    cell = label_text(task, target)
    return {task.column: cell if _read(task, cell) == target else None}


def label_text(task: TaskSpec, labels: frozenset[str]) -> str:
    """Labels as one cell."""
    return _separator(task).join(sorted(labels)) or NONE_APPLY


def _read(task: TaskSpec, cell: str) -> Target:
    """The labels of a cell: other ones where a label of the table holds the separator."""
    try:
        return parse_labels(cell, task.kind, _separator(task))
    except LabelError:
        return None


def _separator(task: TaskSpec) -> str:
    return task.separator or SEPARATOR
