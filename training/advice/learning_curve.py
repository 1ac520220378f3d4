"""What would twice as many rows bring? The quick model on a quarter, a half and all of them.

Its error is taken to fall by a power of the rows (Hestness and others, 2017), which is read off
these three points and drawn on. The interval is of draws: of the rows that are taken away, and of
the test rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.advice.quick_model import Marks, fit_quick
from training.judge.metrics import headline, label_counts

SHARES = (0.25, 0.5, 1.0)
SEEDS = 3
RESAMPLES = 200
LEAST_ERROR = 0.5
"""Points, under which an error is not drawn on."""


@dataclass(frozen=True)
class LearningCurve:
    """Of one task."""

    task: str
    rows: tuple[int, ...]
    """Training rows of each share."""
    figures: tuple[tuple[float, ...], ...]
    """Accuracy or micro-F1 in percent, [shares][seeds]."""
    gain: float
    """Points that twice as many rows would bring."""
    low: float
    high: float
    """Bounds of the 95 % interval of `gain`."""

    def __str__(self) -> str:
        points = ", ".join(
            f"{sum(figures) / len(figures):.1f} of {rows:,} rows"
            for rows, figures in zip(self.rows, self.figures, strict=True)
        )
        return (
            f"{self.task}: {points}; twice as many would bring about {self.gain:+.1f} points "
            f"({self.low:+.1f} to {self.high:+.1f})"
        )


def learning_curve(
    name: str,
    kind: str,
    train: tuple[NDArray[np.floating], Marks],
    folds: NDArray[np.integer],
    test: tuple[NDArray[np.floating], Marks],
) -> LearningCurve:
    """`train` and `test` are sentence vectors [rows, width] and true labels [rows, labels]."""
    vectors, truth = train
    random = np.random.default_rng(1)
    answers = []  # [seeds][shares] marks of the test rows
    for _ in range(SEEDS):
        order = random.permutation(len(vectors))
        parts = [order[: max(1, round(share * len(order)))] for share in SHARES]
        models = [fit_quick(kind, vectors[part], truth[part], folds[part])[0] for part in parts]
        answers.append([_marks(kind, model.probabilities(test[0])) for model in models])
    figures = np.array(
        [[_figure(kind, test[1], marks) for marks in of_seed] for of_seed in answers]
    )
    gains = []
    for _ in range(RESAMPLES):
        rows = random.integers(0, len(test[0]), len(test[0]))
        seed = answers[random.integers(SEEDS)]
        gains.append(_gain([_figure(kind, test[1][rows], marks[rows]) for marks in seed]))
    low, high = np.percentile(gains, [2.5, 97.5])
    return LearningCurve(
        task=name,
        rows=tuple(max(1, round(share * len(vectors))) for share in SHARES),
        figures=tuple(tuple(np.round(column, 2).tolist()) for column in figures.T),
        gain=round(_gain(figures.mean(axis=0).tolist()), 2),
        low=round(float(low), 2),
        high=round(float(high), 2),
    )


def _gain(figures: Sequence[float]) -> float:
    """Points from the last share to twice of it, by a power law through the shares."""
    errors = np.maximum(100 - np.array(figures), LEAST_ERROR)
    power = np.polyfit(np.log(SHARES), np.log(errors), 1)[0]
    return float(errors[-1] - errors[-1] * 2 ** min(power, 0.0))


def _marks(kind: str, chances: NDArray[np.float64]) -> Marks:
    if kind == "multi":
        return chances >= 0.5
    marks = np.zeros(chances.shape, np.bool_)
    marks[np.arange(len(chances)), chances.argmax(1)] = True
    return marks


def _figure(kind: str, truth: Marks, marks: Marks) -> float:
    return float(headline(kind, label_counts(truth, marks)))
