"""Who teaches the student? The teacher and a linear model together, weighed on validation.

A network knows the words that its base has read; a linear model knows pieces of words and the
commonest label where nothing else helps. Their weighted sum, fitted per task where it explains
the validation labels best, is right more often than either, and the student learns from it
(Hinton, Vinyals and Dean, 2015: a distilled ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.heads import Heads
from training.judge.metrics import cross_entropy

Floats = NDArray[np.float64]

FEWEST = 50  # labelled validation rows that a fit needs
START, MOST = 1.0, 20.0


def fit_weights(
    heads: Heads, members: Sequence[NDArray[np.floating]], targets: NDArray[np.float32]
) -> list[Floats]:
    """Of each task the weights of its members' logits, then a bias: [members + 1].

    `members`: logits [rows, labels of all tasks] of each, the network first; `targets`: 1, 0, or
    NaN where not labelled. Where too few rows are labelled the network stands alone.
    """
    weights = []
    for head in heads:
        target = head.of(targets)
        labelled = ~np.isnan(target[:, 0])
        if labelled.sum() < FEWEST:
            weights.append(np.eye(len(members) + 1)[0])
            continue
        parts = np.stack([head.of(member)[labelled] for member in members]).astype(np.float64)
        weights.append(_fit(head.kind, parts, target[labelled].astype(np.float64)))
    return weights


def _fit(kind: str, parts: Floats, targets: Floats) -> Floats:
    """Weights of least cross-entropy; `parts` [members, rows, labels], `targets` [rows, labels]."""

    def loss(values: Floats) -> float:
        return cross_entropy(kind, _weighted(values, parts), targets)

    start = np.array([*(START for _ in parts), 0.0])
    free = (None, None) if kind == "multi" else (0.0, 0.0)
    bounds = [*((0.0, MOST) for _ in parts), free]
    fitted: Floats = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x.round(4)
    return fitted


def _weighted(weights: Floats, parts: NDArray[np.floating]) -> Floats:
    """[rows, labels] of `parts` [members, rows, labels]."""
    logits: Floats = np.tensordot(weights[:-1], parts, 1) + weights[-1]
    return logits


def combine(
    weights: Sequence[Floats], heads: Heads, members: Sequence[NDArray[np.floating]]
) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]: the committee's logits."""
    logits = np.empty(members[0].shape, np.float32)
    for weight, head in zip(weights, heads, strict=True):
        head.of(logits)[:] = _weighted(weight, np.stack([head.of(member) for member in members]))
    return logits
