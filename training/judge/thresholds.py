"""Which labels does a score give? The likeliest one, or those past thresholds set on validation.

A threshold per label of a multi-label task is set where the label's F1 is best; a label with few
examples has the threshold that suits all labels together, and that stays near the default where
all have few. Baselines are chosen here, too: the
candidate with the best headline on validation, its thresholds set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.judge.metrics import Marks, headline, label_counts

Floats = NDArray[np.float64]

ENOUGH = 100  # positives that a label needs for a threshold of its own; see LOG.md
DEFAULT_WEIGHT = 20  # positives of all labels together that the default weighs as much as
GRID = np.linspace(0.05, 0.95, 91)


@dataclass(frozen=True)
class ScoredTask:
    """One task of a baseline."""

    scores: Callable[[Any], Floats]
    """Texts, or their features, to scores [rows, labels]."""
    thresholds: Floats | None
    """[labels] of a multi-label task."""

    def answers(self, inputs: Any) -> Marks:
        return choose(self.scores(inputs), self.thresholds)


def best_candidate(
    kind: str,
    candidates: Iterable[Callable[[Any], Floats]],
    inputs: Any,
    truth: Marks,
    default: float,
    grid: Floats = GRID,
) -> ScoredTask:
    """The candidate whose headline is best on validation: `inputs`, and `truth` [rows, labels].

    Without validation rows it is the first one, with the threshold `default` for every label.
    """
    best: tuple[float, ScoredTask] | None = None
    for scores in candidates:
        thresholds = np.full(truth.shape[1], default) if kind == "multi" else None
        if not len(truth):
            return ScoredTask(scores, thresholds)
        values = scores(inputs)
        if kind == "multi":
            thresholds = np.array(fit_thresholds(values, truth, default, grid))
        figure = float(headline(kind, label_counts(truth, choose(values, thresholds))))
        if best is None or figure > best[0]:
            best = figure, ScoredTask(scores, thresholds)
    assert best is not None
    return best[1]


def choose(scores: Floats, thresholds: Floats | None) -> Marks:
    """bool [rows, labels]: labels that reach their thresholds; without these the likeliest one."""
    if thresholds is not None:
        return scores >= thresholds
    likeliest: Marks = scores.argmax(1)[:, None] == np.arange(scores.shape[1])
    return likeliest


def fit_thresholds(
    scores: Floats, targets: NDArray[Any], default: float = 0.5, grid: Floats = GRID
) -> tuple[float, ...]:
    """A threshold per label for scores [rows, labels] against targets of 0 and 1."""
    positives = targets.sum(0)
    answered = np.stack([(scores >= cut).sum(0) for cut in grid])  # [grid, labels]
    hit = np.stack([((scores >= cut) & (targets > 0)).sum(0) for cut in grid])
    common = grid[_middle_of_best(_f1(hit.sum(1), answered.sum(1), positives.sum()))]
    common = np.average([common, default], weights=[positives.sum(), DEFAULT_WEIGHT])
    best = [grid[_middle_of_best(column)] for column in _f1(hit, answered, positives).T]
    thresholds = np.where(positives >= ENOUGH, best, common)
    return tuple(round(float(threshold), 4) for threshold in thresholds)


def _middle_of_best(scores: Floats) -> int:
    """Where scores [grid] are best; of a plateau the middle, which is least by chance."""
    best = np.flatnonzero(scores == scores.max())
    return int(best[len(best) // 2])


def _f1(hit: Floats, answered: Floats, positives: Floats) -> Floats:
    return 2 * hit / np.maximum(answered + positives, 1)
