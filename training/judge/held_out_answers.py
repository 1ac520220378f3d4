"""What did a run answer to the rows that it held out? Judged answers to a record and back.

The record itself is declared in tables/held_out.py, since the performance report reads it too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tables.held_out import HeldOut, row_key
from training.judge.judged import JudgedTask
from training.judge.metrics import Marks
from training.rows.table import Row, Table


def held_out_record(judged: Sequence[JudgedTask], bundle: str) -> HeldOut:
    """The answers of `judged`, for the bundle of this `name@digest`."""
    return HeldOut(bundle, {task.name: _answers(task) for task in judged})


def _answers(task: JudgedTask) -> dict[str, list[str]]:
    labels = np.array(task.labels)
    return {
        row_key(row.text, labels[truth].tolist()): labels[answer].tolist()
        for row, truth, answer in zip(task.rows, task.truth, task.answers, strict=True)
    }


def judged_record(table: Table, record: HeldOut, other: HeldOut) -> list[JudgedTask]:
    """`record`'s answers to those test rows of `table` that both records hold, as judged tasks.

    Labels that the table does not know come after its own.
    """
    judged = []
    for place, task in enumerate(table.tasks):
        if task.name not in record.tasks or task.name not in other.tasks:
            continue
        rows: list[Row] = []
        truth: list[list[str]] = []
        answers: list[list[str]] = []
        for row in table.split("test"):
            if (target := row.targets[place]) is None:
                continue
            answer = record.answer(task.name, row.text, target)
            if answer is not None and other.answer(task.name, row.text, target) is not None:
                rows.append(row)
                truth.append(sorted(target))
                answers.append(answer)
        unknown = {label for answer in answers for label in answer} - {*task.labels}
        labels = (*task.labels, *sorted(unknown))
        marks = _marks(labels, truth), _marks(labels, answers)
        judged.append(JudgedTask(task.name, task.kind, labels, rows, *marks))
    return judged


def _marks(labels: Sequence[str], rows: Sequence[Sequence[str]]) -> Marks:
    """[rows, labels]"""
    column = {label: place for place, label in enumerate(labels)}
    marks = np.zeros((len(rows), len(labels)), np.bool_)
    for line, row in zip(marks, rows, strict=True):
        line[[column[label] for label in row]] = True
    return marks
