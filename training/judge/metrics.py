"""How right are the answers? Accuracy, F1 and calibration error of one task, in percent.

The headline of a single-label task is its accuracy, of a multi-label task its micro-F1. `truth`
and `answers` are bool arrays [rows, labels] over the rows that are labelled for the task.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

Marks = NDArray[np.bool_]
"""[rows, labels]: which labels each row has, or was given."""
Counts = NDArray[Any]

HEADLINE = {"single": "accuracy", "multi": "micro_f1"}
BINS = 15
FEW_ROWS = 300
"""Fewer do not tell how far scores are from the truth: that figure alone is off by 2 points."""


def task_metrics(kind: str, truth: Marks, answers: Marks) -> dict[str, Any]:
    """{"rows", headline, "macro_f1"}; None: unknown, since no row has a label.

    Macro-F1 averages over the labels that rows have. Where that is one of several, every wrong
    answer is a label that it leaves out, so it is unknown, too.
    """
    rows, occurring = len(truth), int(truth.any(axis=0).sum())
    if not occurring:
        return {"rows": rows, HEADLINE[kind]: None, "macro_f1": None}
    counts = label_counts(truth, answers)
    has_macro = occurring > 1 or truth.shape[1] == 1
    return {
        "rows": rows,
        HEADLINE[kind]: round(float(headline(kind, counts)), 2),
        "macro_f1": round(float(_macro_f1(counts.sum(0))), 2) if has_macro else None,
    }


def label_counts(truth: Marks, answers: Marks) -> Counts:
    """int8 [rows, 3, labels]: true positives, false positives, false negatives."""
    return np.stack([truth & answers, answers & ~truth, truth & ~answers], axis=1).astype(np.int8)


def expected_counts(scores: NDArray[np.float64], answers: Marks) -> Counts:
    """As `label_counts`, float64, where each label holds with the probability `scores`."""
    hit = scores * answers
    return np.stack([hit, answers - hit, scores - hit], axis=1)


def headline_terms(kind: str, counts: Counts) -> Counts:
    """float64 [..., rows, 2] of counts [..., rows, 3, labels]: the headline is a ratio of sums."""
    hit, extra, missed = np.moveaxis(counts.sum(axis=-1, dtype=np.float64), -1, 0)
    if kind == "single":
        return np.stack([hit, np.ones_like(hit)], axis=-1)
    return np.stack([2 * hit, 2 * hit + extra + missed], axis=-1)


def headline(kind: str, counts: Counts) -> Any:
    """Accuracy or micro-F1 in percent of counts [..., rows, 3, labels]."""
    top, bottom = np.moveaxis(headline_terms(kind, counts).sum(axis=-2), -1, 0)
    return 100 * top / np.maximum(bottom, 1)


def _macro_f1(totals: Counts) -> Any:
    """The mean F1 in percent over the labels that occur, of totals [3, labels]."""
    hit, extra, missed = totals
    occurs = (hit + missed) > 0
    return 100 * (2 * hit / np.maximum(2 * hit + extra + missed, 1))[occurs].mean()


def cross_entropy(kind: str, logits: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Mean cross-entropy of logits [rows, labels]: of a row (single-label), or of a label."""
    if kind == "single":
        return float(-(targets * log_softmax(logits, axis=1)).sum(1).mean())
    return float((np.logaddexp(0, logits) - targets * logits).mean())


def calibration_bins(
    scores: NDArray[np.float64], right: NDArray[np.bool_]
) -> list[dict[str, float]]:
    """[{"score", "right", "rows"}]: mean score and share that is right, in percent, of each of
    BINS equal bins that has rows; `scores` [n] were `right` or not."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "score": round(100 * float(scores[place == number].mean()), 1),
            "right": round(100 * float(right[place == number].mean()), 1),
            "rows": int((place == number).sum()),
        }
        for number in np.unique(place)
    ]


def calibration_error(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error in percent of scores [n] that were `right` or not.

    How far the share that is right lies from the mean score, over BINS equal bins (Guo and
    others, 2017).
    """
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, right - scores, BINS)
    return float(100 * np.abs(gaps).sum() / len(scores))
