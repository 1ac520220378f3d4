"""The labels of a row as the columns of its recipe hold them, to be edited and read again."""

from __future__ import annotations

from collections.abc import Sequence

from tables.labels import NONE_APPLY, SEPARATOR
from tables.reader import Fields
from training.rows.labelled_row import Target
from training.task_spec import TaskSpec


def label_columns(tasks: Sequence[TaskSpec]) -> list[str]:
    return [column for task in tasks for column in task.label_columns]


def label_cells(tasks: Sequence[TaskSpec], targets: Sequence[Target]) -> Fields:
    """{column: its cell} of all tasks; nothing for what is not labelled."""
    cells: Fields = {}
    for task, target in zip(tasks, targets, strict=True):
        if target is None:
            cells |= dict.fromkeys(task.label_columns)
        elif task.columns:
            cells |= {column: str(int(column in target)) for column in task.columns}
        else:
            cells[task.column] = label_text(task, target)
    return cells


def label_text(task: TaskSpec, labels: frozenset[str]) -> str:
    """Labels as one cell."""
    return (task.separator or SEPARATOR).join(sorted(labels)) or NONE_APPLY
