"""What do scores mean? Temperatures, biases and thresholds, fitted on the validation split.

A temperature per task makes scores probabilities (Guo and others, 2017); a bias per label of a
single-label task keeps labels with few or unlike rows from never being the answer. Few rows leave
the scores near to what the network gave, and never make them surer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from model.bundle import Task
from model.heads import Heads
from training.judge.metrics import FEW_ROWS, cross_entropy
from training.judge.thresholds import fit_thresholds

Floats = NDArray[np.float64]

PRIOR = 0.5  # standard deviation that a label's bias is expected to have
LOG_TEMPERATURE_PRIOR = 0.5  # standard deviation that a logarithm of a temperature has around 0
LOG_TEMPERATURES = (-2.0, 2.0)


def calibrate(
    tasks: tuple[Task, ...], logits: NDArray[np.float32], targets: NDArray[np.float32]
) -> tuple[Task, ...]:
    """The tasks with fitted temperature and thresholds.

    `logits`, `targets` [rows, labels of all tasks]: targets 1, 0, or NaN where not labelled.
    """
    fitted = []
    for task, head in zip(tasks, Heads(tasks), strict=True):
        target = head.of(targets).astype(np.float64)
        labelled = ~np.isnan(target[:, 0])
        if not labelled.any():
            fitted.append(task)
            continue
        logit, target = head.of(logits)[labelled].astype(np.float64), target[labelled]
        temperature = _temperature(task.kind, logit, target)
        thresholds = (
            fit_thresholds(expit(logit / temperature), target) if task.kind == "multi" else None
        )
        fitted.append(task.changed(temperature=temperature, thresholds=thresholds))
    return tuple(fitted)


def _temperature(kind: str, logits: Floats, targets: Floats) -> float:
    """The temperature of greatest posterior probability; of fewer than FEW_ROWS rows at least 1.

    The prior of its logarithm is normal around 0. Targets are softened as by Platt (2000): n
    right answers of n are no reason to be surer than (n + 1) / (n + 2).
    """
    softened, terms = _softened(kind, targets), len(logits) if kind == "single" else logits.size

    def loss(log_temperature: float) -> float:
        evidence = terms * cross_entropy(kind, logits / np.exp(log_temperature), softened)
        return evidence + (log_temperature / LOG_TEMPERATURE_PRIOR) ** 2 / 2

    lowest, highest = LOG_TEMPERATURES
    bounds = (0.0 if len(logits) < FEW_ROWS else lowest, highest)
    best = minimize_scalar(loss, bounds=bounds, method="bounded").x
    return round(float(np.exp(best)), 4)


def _softened(kind: str, targets: Floats) -> Floats:
    """Targets [rows, labels] of 0 and 1, as if one more of each were answered wrong."""
    ones, labels = targets.sum(), targets.shape[1]
    if kind == "single":
        zero = 1 / (ones + 2) / max(labels - 1, 1)
    else:
        zero = 1 / (targets.size - ones + 2)
    softened: Floats = np.where(targets > 0, (ones + 1) / (ones + 2), zero)
    return softened


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

    best = minimize(loss, np.zeros(labels + 1), jac=True, method="L-BFGS-B").x
    bias: Floats = best[:-1] / np.exp(best[-1])  # on the scale of the logits as they are
    centred: Floats = bias - bias.mean()
    return centred
