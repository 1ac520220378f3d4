"""A model that is fitted in a second: ridge regression on sentence vectors, judged by folds.

It stands for the network where that would have to be trained many times. Every fold is answered by
a fit that has not seen it, for little more than the price of one fit: the matrices of a fold are
taken away from those of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]

FOLDS = 5
RIDGE = 0.3
"""Added to the diagonal; vectors have length 1."""


@dataclass(frozen=True)
class QuickModel:
    """Of one task: weights [width + 1, labels], and how scores become probabilities."""

    kind: str
    weights: Floats
    scale: Floats
    """Of single-label tasks a factor; of multi-label tasks a factor and a term, for all labels."""

    def probabilities(self, vectors: NDArray[np.floating]) -> Floats:
        """[rows, labels]."""
        return _probabilities(self.kind, _with_one(vectors) @ self.weights, self.scale)


def fit_quick(
    kind: str, vectors: NDArray[np.floating], truth: Marks, folds: NDArray[np.integer]
) -> tuple[QuickModel, Floats]:
    """The model of all rows, and what models that did not see a row's fold make of it.

    `vectors` [rows, width], `truth` [rows, labels], `folds` [rows], numbers below FOLDS. Returns
    the probabilities [rows, labels] with the model.
    """
    rows, marks = _with_one(vectors), truth.astype(np.float64)
    gram, product = rows.T @ rows, rows.T @ marks
    scores = np.empty(marks.shape)
    for number in range(FOLDS):
        held_out = folds == number
        part, of_part = rows[held_out], marks[held_out]
        scores[held_out] = part @ _solved(gram - part.T @ part, product - part.T @ of_part)
    scale = _fitted_scale(kind, scores, marks)
    model = QuickModel(kind, _solved(gram, product), scale)
    return model, _probabilities(kind, scores, scale)


def _with_one(vectors: NDArray[np.floating]) -> Floats:
    return np.pad(vectors.astype(np.float64), ((0, 0), (0, 1)), constant_values=1)


def _solved(gram: Floats, product: Floats) -> Floats:
    return np.asarray(np.linalg.solve(gram + RIDGE * np.eye(len(gram)), product), np.float64)


def _fitted_scale(kind: str, scores: Floats, marks: Floats) -> Floats:
    """Where the held-out marks are likeliest."""

    def single(values: Floats) -> float:
        return float(-(marks * log_softmax(values[0] * scores, axis=1)).sum())

    def multi(values: Floats) -> float:
        logits = values[0] * scores + values[1]
        return float((np.logaddexp(0, logits) - marks * logits).sum())

    loss, start = (single, [5.0]) if kind == "single" else (multi, [5.0, -2.5])
    fitted: Floats = minimize(loss, start, method="Nelder-Mead").x
    return fitted


def _probabilities(kind: str, scores: Floats, scale: Floats) -> Floats:
    if kind == "single":
        chances: Floats = softmax(scale[0] * scores, axis=1)
    else:
        chances = expit(scale[0] * scores + scale[1])
    return chances
