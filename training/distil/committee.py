"""Who teaches the student? The teacher and a linear model together, weighed on validation.

A network knows the words that its base has read; a linear model knows pieces of words and the
commonest label where nothing else helps. Their weighted sum, fitted per task where it explains
the validation labels best, is right more often than either, and the student learns from it
(Hinton, Vinyals and Dean, 2015: a distilled ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from model.heads import Heads

Floats = NDArray[np.float64]

FEWEST = 50  # labelled validation rows that a fit needs
START, MOST = 1.0, 20.0


@dataclass(frozen=True)
class Weights:
    """logits = sum of weights[i] * member i + bias, of one task."""

    members: tuple[float, ...]
    bias: float = 0.0


def fit_weights(
    heads: Heads, members: Sequence[NDArray[np.floating]], targets: NDArray[np.float32]
) -> list[Weights]:
    """The weights of each task; the network alone where too few rows are labelled.

    `members`: logits [rows, labels of all tasks] of each, the network first; `targets`: 1, 0, or
    NaN where not labelled.
    """
    weights = []
    for head in heads:
        target = head.of(targets)
        labelled = ~np.isnan(target[:, 0])
        if labelled.sum() < FEWEST:
            weights.append(Weights((1.0, *(0.0 for _ in members[1:]))))
            continue
        parts = np.stack([head.of(member)[labelled] for member in members]).astype(np.float64)
        weights.append(_fit(head.kind, parts, target[labelled].astype(np.float64)))
    return weights


def _fit(kind: str, parts: Floats, targets: Floats) -> Weights:
    """Weights of least cross-entropy; `parts` [members, rows, labels], `targets` [rows, labels]."""

    def loss(values: Floats) -> float:
        logits = np.tensordot(values[:-1], parts, 1) + values[-1]
        if kind == "single":
            return float(-(targets * log_softmax(logits, axis=1)).sum(1).mean())
        return float((np.logaddexp(0, logits) - targets * logits).mean())

    start = np.array([*(START for _ in parts), 0.0])
    free = (None, None) if kind == "multi" else (0.0, 0.0)
    bounds = [*((0.0, MOST) for _ in parts), free]
    fitted = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return Weights(
        tuple(round(float(value), 4) for value in fitted[:-1]), round(float(fitted[-1]), 4)
    )


def combine(
    weights: Sequence[Weights], heads: Heads, members: Sequence[NDArray[np.floating]]
) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]: the committee's logits."""
    logits = np.empty(members[0].shape, np.float32)
    for weight, head in zip(weights, heads, strict=True):
        parts = zip(weight.members, members, strict=True)
        head.of(logits)[:] = sum(share * head.of(member) for share, member in parts) + weight.bias
    return logits
