"""Who teaches the student? The teacher and a linear model together, weighed on validation.

A network knows the words that its base has read; a linear model knows pieces of words and what to
say in doubt. Their weighted sum, fitted per task where it explains the validation labels best, is
right more often than either, and the student learns from it (Hinton, Vinyals and Dean, 2015:
a distilled ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Floats = NDArray[np.float64]

FEWEST = 50  # labelled validation rows that a fit needs
START, MOST = 1.0, 20.0


@dataclass(frozen=True)
class Weights:
    """logits = sum of weights[i] * member i + bias, of one task."""

    members: tuple[float, ...]
    bias: float = 0.0


def fit_weights(
    kinds: Sequence[str],
    sizes: Sequence[int],
    members: Sequence[NDArray[np.floating]],
    targets: NDArray[np.float32],
) -> list[Weights]:
    """The weights of each task. `members`: logits [rows, labels of all tasks] of each, the
    network first; `targets`: 1, 0, or NaN where not labelled. Too few rows: the network alone."""
    found, start = [], 0
    for kind, size in zip(kinds, sizes, strict=True):
        columns = slice(start, start + size)
        start += size
        labelled = ~np.isnan(targets[:, columns.start])
        parts = np.stack([member[labelled, columns] for member in members]).astype(np.float64)
        alone = Weights((1.0, *(0.0 for _ in members[1:])))
        wanted = targets[labelled, columns].astype(np.float64)
        found.append(_fit(kind, parts, wanted) if labelled.sum() >= FEWEST else alone)
    return found


def _fit(kind: str, parts: Floats, wanted: Floats) -> Weights:
    def loss(values: Floats) -> float:
        logits = np.tensordot(values[:-1], parts, 1) + values[-1]
        if kind == "single":
            return float(-(wanted * log_softmax(logits, axis=1)).sum(1).mean())
        return float((np.logaddexp(0, logits) - wanted * logits).mean())

    start = np.array([*(START for _ in parts), 0.0])
    free = (None, None) if kind == "multi" else (0.0, 0.0)
    bounds = [*((0.0, MOST) for _ in parts), free]
    fitted = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return Weights(
        tuple(round(float(value), 4) for value in fitted[:-1]), round(float(fitted[-1]), 4)
    )


def combine(
    weights: Sequence[Weights], sizes: Sequence[int], members: Sequence[NDArray[np.floating]]
) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]: the committee's logits."""
    parts, start = [], 0
    for weight, size in zip(weights, sizes, strict=True):
        columns = slice(start, start + size)
        start += size
        summed = sum(
            share * member[:, columns]
            for share, member in zip(weight.members, members, strict=True)
        )
        parts.append(summed + weight.bias)
    return np.concatenate(parts, axis=1).astype(np.float32)
