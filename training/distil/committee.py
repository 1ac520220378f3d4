"""Who teaches the student? Teacher, untrained base and linear model, weighed on validation.

A network knows the words that its base has read; the base before training knows whole sentences,
and the labels by their names; a linear model knows pieces of words and the commonest label where
nothing else helps. Their weighted sum, fitted per task where it explains the validation labels
best, is right more often than each, and the student learns from it (Hinton, Vinyals and Dean, 2015:
a distilled ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.heads import Heads
from training.judge.metrics import cross_entropy

Floats = NDArray[np.float64]

EXPECTED, LEAST, MOST = 1.0, 1e-3, 20.0
"""Of a weight: what is expected, whose logarithm its own differs from by about 1, and bounds."""


def fit_weights(
    heads: Heads,
    members: Sequence[NDArray[np.floating]],
    targets: NDArray[np.float32],
    expected: float = EXPECTED,
) -> list[Floats]:
    """Of each task the weights of its members' logits, then a bias: [members + 1].

    `members`: logits [rows, labels of all tasks] of each, the network first; `targets`: 1, 0, or
    NaN where not labelled. The fewer rows are labelled, the nearer are all weights to `expected`.
    """
    weights = []
    for head in heads:
        target = head.of(targets)
        labelled = ~np.isnan(target[:, 0])
        parts = np.stack([head.of(member)[labelled] for member in members]).astype(np.float64)
        weights.append(_fit(head.kind, parts, target[labelled].astype(np.float64), expected))
    return weights


def _fit(kind: str, parts: Floats, targets: Floats, expected: float) -> Floats:
    """Weights of greatest posterior probability; `parts` [members, rows, labels], `targets` [rows,
    labels]."""
    terms = len(targets) if kind == "single" else targets.size

    def loss(values: Floats) -> float:
        evidence = terms * cross_entropy(kind, _weighted(values, parts), targets) if terms else 0.0
        surprise = np.append(np.log(values[:-1] / expected), values[-1])
        return evidence + float((surprise**2).sum()) / 2

    start = np.array([*(expected for _ in parts), 0.0])
    free = (None, None) if kind == "multi" else (0.0, 0.0)
    bounds = [*((LEAST, MOST) for _ in parts), free]
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
