"""How right are the answers? Accuracy and F1 per task, overall and per slice.

The headline of a single-label task is its accuracy, of a multi-label task its micro-F1, both in
percent. Predictions are sets of labels, as the classifier returned them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.rows.table import Row, Table

Labels = frozenset[str]
Counts = NDArray[Any]

HEADLINE = {"single": "accuracy", "multi": "micro_f1"}
SMALLEST_SLICE = 20  # rows; a figure from fewer says nothing
RESAMPLES = 2000
BINS = 15


def task_metrics(kind: str, labels: Sequence[str], truth: list[Labels], said: list[Labels]) -> Any:
    """Percentages of one task over the rows that are labelled for it."""
    counts = label_counts(labels, truth, said)
    if not any(truth):  # no row, or none that has a label: there is nothing to find
        return {"rows": len(truth), HEADLINE[kind]: None, "macro_f1": None}
    return {
        "rows": len(truth),
        HEADLINE[kind]: round(float(headline(kind, counts)), 2),
        "macro_f1": round(float(_macro_f1(counts.sum(0))), 2),
    }


def label_counts(labels: Sequence[str], truth: list[Labels], said: list[Labels]) -> Counts:
    """int8 [rows, 3, labels]: true positives, false positives, false negatives."""
    column = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(truth), 3, len(labels)), np.int8)
    for row, (right, given) in zip(counts, zip(truth, said, strict=True), strict=True):
        for outcome, found in enumerate((right & given, given - right, right - given)):
            row[outcome, [column[label] for label in found]] = 1
    return counts


def headline(kind: str, counts: Counts) -> Any:
    """Accuracy or micro-F1 in percent of counts [..., rows, 3, labels]."""
    hit, extra, missed = np.moveaxis(counts.sum(axis=-1), -1, 0)
    if kind == "single":
        return 100 * hit.mean(axis=-1)
    hit, extra, missed = hit.sum(-1), extra.sum(-1), missed.sum(-1)
    return 100 * 2 * hit / np.maximum(2 * hit + extra + missed, 1)


def _macro_f1(totals: Counts) -> Any:
    """The mean F1 in percent over the labels that occur, of totals [3, labels]."""
    hit, extra, missed = totals
    occurs = (hit + missed) > 0
    return 100 * (2 * hit / np.maximum(2 * hit + extra + missed, 1))[occurs].mean()


def drop_interval(kind: str, before: Counts, after: Counts, seed: int = 1) -> tuple[float, ...]:
    """Points lost from `before` to `after` on the same rows: (drop, low, high).

    low and high bound the paired bootstrap's 95 % interval.
    """
    rows = len(before)
    drop = headline(kind, before) - headline(kind, after)
    before, after = before.sum(-1, keepdims=True), after.sum(-1, keepdims=True)
    random = np.random.default_rng(seed)
    picks = (random.integers(0, rows, rows) for _ in range(RESAMPLES))
    drops = [headline(kind, before[pick]) - headline(kind, after[pick]) for pick in picks]
    low, high = np.percentile(drops, [2.5, 97.5])
    return float(drop), float(low), float(high)


def calibration_errors(
    table: Table, rows: list[Row], scores: NDArray[np.float64]
) -> dict[str, float | None]:
    """{task: expected calibration error in percent} of scores [rows, labels of all tasks].

    Of a single-label task's likeliest labels, or of all labels of a multi-label task: how far
    the share that is right lies from the mean score, over BINS equal bins (Guo and others, 2017).
    """
    found: dict[str, float | None] = {}
    start = 0
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        places = [place for place, row in enumerate(rows) if row.targets[index] is not None]
        part = scores[places, start : start + len(labels)]
        start += len(labels)
        truth = np.array(
            [[label in (rows[place].targets[index] or ()) for label in labels] for place in places]
        )
        if not places:
            found[task.name] = None
            continue
        if task.kind == "single":
            best = part.argmax(1)[:, None]
            part, truth = np.take_along_axis(part, best, 1), np.take_along_axis(truth, best, 1)
        found[task.name] = round(calibration_error(part.ravel(), truth.ravel()), 2)
    return found


def calibration_error(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error in percent of scores [n] that were `right` or not."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, right - scores, BINS)
    return float(100 * np.abs(gaps).sum() / len(scores))


def table_metrics(table: Table, rows: list[Row], said: list[dict[str, Labels]]) -> dict[str, Any]:
    """{task: metrics}, over the rows labelled for each task."""
    return {
        task.name: task_metrics(task.kind, labels, *answered(index, task.name, rows, said))
        for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True))
    }


def slice_metrics(table: Table, rows: list[Row], said: list[dict[str, Labels]]) -> dict[str, Any]:
    """{slice: {task: metrics}} for the slices of enough rows."""
    slices: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.slice:
            slices.setdefault(row.slice, []).append(place)
    return {
        name: table_metrics(table, [rows[i] for i in places], [said[i] for i in places])
        for name, places in sorted(slices.items())
        if len(places) >= SMALLEST_SLICE
    }


def answered(
    index: int, task: str, rows: list[Row], said: list[dict[str, Labels]]
) -> tuple[list[Labels], list[Labels]]:
    """Truth and prediction of one task, for the rows labelled for it."""
    pairs = [
        (truth, answer[task])
        for row, answer in zip(rows, said, strict=True)
        if (truth := row.targets[index]) is not None
    ]
    return [truth for truth, _ in pairs], [answer for _, answer in pairs]
