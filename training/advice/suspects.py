"""Which labels of the table are likely wrong? Those that the rest of the table contradicts.

The methods are cleanlab's (Northcutt, Jiang and Chuang, 2021): a label is a suspect where held-out
probabilities are confident of another. The rows are written with the labels that they have, to be
corrected in place; listed in the recipe with `corrects = true`, they replace those of the table. A
line that nobody touches corrects nothing: it has the labels of one task alone, and none where the
same text stands in the table with others.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.multilabel_classification import get_label_quality_scores
from cleanlab.multilabel_classification.filter import find_label_issues as find_multilabel_issues
from cleanlab.rank import get_label_quality_scores as get_single_quality_scores
from numpy.typing import NDArray

from tables.reader import Fields
from tables.writer import csv_lines
from training.advice.label_cells import label_cells, label_columns, label_text
from training.advice.quick_model import Floats, Marks
from training.rows.labelled_row import Row, Target
from training.rows.splits import normalise
from training.rows.table import LabelledTask
from training.task_spec import TaskSpec

MARGIN = 1.5
MOST_SHARE = 0.05
"""Of the rows: nobody reads on where the model knows too little to tell."""
LIKELY = 0.5
KNOWN = ("suspect", "suggestion", "quality", "row")
"""Columns of the file beside the table's."""


@dataclass(frozen=True)
class Suspect:
    """A label, or a set of labels, that is likely wrong."""

    row: Row
    task: str
    labels: Target
    """None: another row with this text has others."""
    quality: float
    """Of what the row says, from 0; the lowest are the likeliest to be wrong."""
    suggestion: frozenset[str]


def suspects(
    task: LabelledTask, rows: Sequence[Row], truth: Marks, chances: Floats
) -> Iterator[Suspect]:
    """The suspects among `rows`, likeliest first; `truth` and `chances` [rows, labels]."""
    labels_of_text: dict[str, set[frozenset[str]]] = {}
    for row, marks in zip(rows, truth, strict=True):
        labels_of_text.setdefault(normalise(row.text), set()).add(_labels(task, marks))
    for place, quality in zip(*likeliest_wrong(task.kind, truth, chances), strict=True):
        given = chances[place]
        if task.kind == "single":
            suggestion = frozenset([task.labels[int(given.argmax())]])
        else:
            suggestion = frozenset(np.array(task.labels)[given >= LIKELY].tolist())
        labels, row = _labels(task, truth[place]), rows[place]
        if suggestion != labels:
            is_disputed = len(labels_of_text[normalise(row.text)]) > 1
            yield Suspect(row, task.name, None if is_disputed else labels, quality, suggestion)


def likeliest_wrong(kind: str, truth: Marks, chances: Floats) -> tuple[list[int], list[float]]:
    """Places of the suspects, likeliest first, and the quality of their labels.

    Of the rows that are answered otherwise, half as many again as cleanlab estimates to be wrong,
    up to MOST_SHARE of all.
    """
    if kind == "single":
        present = np.flatnonzero(truth.any(0))  # cleanlab knows no label without a row
        labels = truth[:, present].argmax(1)
        part = chances[:, present] / chances[:, present].sum(1, keepdims=True)
        with warnings.catch_warnings(action="ignore"):  # of labels with a single row
            estimated = int(find_label_issues(labels, part, n_jobs=1).sum())
        quality: Floats = get_single_quality_scores(labels, part)
        otherwise = part.argmax(1) != labels
    else:
        varied = np.flatnonzero(truth.any(0) & ~truth.all(0))  # cleanlab knows no others
        part, marks = chances[:, varied], truth[:, varied]
        if len(varied) < 2:  # nor a single one, which is a task of two labels
            pair = np.hstack([~marks, marks]), np.hstack([1 - part, part])
            return likeliest_wrong("single", *pair) if len(varied) else ([], [])
        label_places = [np.flatnonzero(line).tolist() for line in marks]
        with warnings.catch_warnings(action="ignore"):
            estimated = int(find_multilabel_issues(label_places, part, n_jobs=1).sum())
        quality = get_label_quality_scores(label_places, part)
        otherwise = (marks != (part >= LIKELY)).any(1)
    order = np.argsort(quality, kind="stable")
    most = math.ceil(min(MARGIN * estimated, MOST_SHARE * len(truth)))
    places = order[otherwise[order]][:most]
    return places.tolist(), quality[places].tolist()


def _labels(task: LabelledTask, marks: NDArray[np.bool_]) -> frozenset[str]:
    return frozenset(np.array(task.labels)[marks].tolist())


def suspects_csv(tasks: Sequence[TaskSpec], text: str, found: Sequence[Suspect]) -> bytes:
    """The rows to look at: the text, the columns of all tasks, those of the suspect one as the
    table has them, and what is to be known of it, in columns that the table has not."""
    columns = [text, *label_columns(tasks)]
    known = [_free(name, columns) for name in KNOWN]
    of_name = {task.name: task for task in tasks}
    lines: list[Fields] = []
    for suspect in found:
        task = of_name[suspect.task]
        suggestion = label_text(task, suspect.suggestion)
        facts = (task.name, suggestion, f"{suspect.quality:.3f}", suspect.row.place)
        line = {text: suspect.row.text, **label_cells(task, suspect.labels)}
        lines.append(line | dict(zip(known, facts, strict=True)))
    header = [*columns, *known]
    return csv_lines([dict(zip(header, header, strict=True)), *lines], header)


def _free(name: str, columns: Collection[str]) -> str:
    while name in columns:
        name += "_"
    return name
