"""What do the numbers mean? Temperatures and thresholds, fitted on the validation split.

A temperature per task makes scores mean what they say (Guo and others, 2017). A threshold per
label of a multi-label task is set where micro-F1 is best; a label with few examples keeps the
threshold that suits all labels together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from model.bundle import Task

Floats = NDArray[np.float64]

ENOUGH = 100  # positives that a label needs for a threshold of its own; see LOG.md
PRIOR = 0.5  # standard deviation that a label's bias is expected to have
GRID = np.linspace(0.05, 0.95, 91)
LOG_TEMPERATURES = (-2.0, 2.0)


def calibrate(
    tasks: tuple[Task, ...], logits: NDArray[np.float32], targets: NDArray[np.float32]
) -> tuple[Task, ...]:
    """The tasks with fitted temperature and thresholds.

    `logits`, `targets` [rows, labels of all tasks]: targets 1, 0, or NaN where not labelled.
    """
    fitted, start = [], 0
    for task in tasks:
        columns = slice(start, start + len(task.labels))
        start = columns.stop
        labelled = ~np.isnan(targets[:, columns.start])
        if not labelled.any():
            fitted.append(task)
            continue
        logit = logits[labelled, columns].astype(np.float64)
        target = targets[labelled, columns].astype(np.float64)
        temperature = _temperature(task.kind, logit, target)
        thresholds = (
            fit_thresholds(expit(logit / temperature), target) if task.kind == "multi" else None
        )
        fitted.append(replace(task, temperature=temperature, thresholds=thresholds))
    return tuple(fitted)


def _temperature(kind: str, logits: Floats, targets: Floats) -> float:
    """The temperature of least cross-entropy."""

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        if kind == "single":
            return float(-(targets * log_softmax(scaled, axis=1)).sum(1).mean())
        return float((np.logaddexp(0, scaled) - targets * scaled).mean())

    found = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return round(float(np.exp(found.x)), 4)


def fit_biases(logits: Floats, targets: Floats) -> Floats:
    """What to add to each logit of a single-label task [rows, labels] so that no label vanishes.

    A label whose rows are unlike each other, such as "out of scope", is given too little
    probability on rows that training has not seen. The biases of greatest posterior probability
    on validation, under a normal prior of deviation PRIOR, give it back what it lacks there (the
    bias-corrected temperature scaling of Alexandari and others, 2020); they sum to 0.
    """
    rows, labels = logits.shape

    def loss(values: Floats) -> tuple[float, Floats]:
        bias, scale = values[:-1], np.exp(values[-1])
        shifted = logits * scale + bias
        log_shares = log_softmax(shifted, axis=1)
        error = (np.exp(log_shares) - targets) / rows
        prior = bias / PRIOR**2 / rows
        value = -(targets * log_shares).sum() / rows + (bias**2).sum() / (2 * PRIOR**2 * rows)
        slope = (error * logits).sum() * scale
        return float(value), np.append(error.sum(0) + prior, slope)

    found = minimize(loss, np.zeros(labels + 1), jac=True, method="L-BFGS-B").x
    bias: Floats = found[:-1] / np.exp(found[-1])  # on the scale of the logits as they are
    centred: Floats = bias - bias.mean()
    return centred


def fit_thresholds(scores: Floats, targets: Floats, grid: Floats = GRID) -> tuple[float, ...]:
    """A threshold per label for scores [rows, labels] against targets of 0 and 1."""
    given = np.stack([(scores >= cut).sum(0) for cut in grid])  # [grid, labels]
    hit = np.stack([((scores >= cut) & (targets > 0)).sum(0) for cut in grid])
    wrong = given - hit + (targets.sum(0)[None] - hit)
    common = _middle_of_best(_f1(hit.sum(1), wrong.sum(1)))
    best = [_middle_of_best(column) for column in _f1(hit, wrong).T]
    enough = targets.sum(0) >= ENOUGH
    return tuple(
        round(float(grid[own if ok else common]), 4) for own, ok in zip(best, enough, strict=True)
    )


def _middle_of_best(scores: Floats) -> int:
    """Where scores [grid] are best; of a plateau the middle, which is least by chance."""
    best = np.flatnonzero(scores == scores.max())
    return int(best[len(best) // 2])


def _f1(hit: Floats, wrong: Floats) -> Floats:
    return 2 * hit / np.maximum(2 * hit + wrong, 1)
