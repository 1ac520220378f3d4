"""Logistic regression on vectors of texts: the simplest head, which others start at or rival."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

Vectors = NDArray[np.float32]

ITERATIONS = 100
NEVER = -9.0
"""Logit of a label that no row has."""


class Logistic(NamedTuple):
    """Logits are `vectors @ weight.T + bias`."""

    weight: Vectors
    """[labels, width]"""
    bias: Vectors
    """[labels]"""

    def logits(self, vectors: Vectors) -> Vectors:
        """[rows, labels]."""
        return vectors @ self.weight.T + self.bias


def fit_logistic(
    kind: str, vectors: Vectors, truth: NDArray[np.bool_], strength: float
) -> Logistic:
    """Fitted to `vectors` [rows, width] whose labels are `truth` [rows, labels].

    `strength`: the inverse of the penalty, scikit-learn's C.
    """
    present = np.flatnonzero(truth.any(0))
    weight = np.zeros((truth.shape[1], vectors.shape[1]), np.float32)
    bias = np.full(truth.shape[1], NEVER, np.float32)
    model: Any = LogisticRegression(C=strength, max_iter=ITERATIONS, tol=1e-3)
    if kind == "multi":
        varied = present[~truth[:, present].all(0)]
        bias[present] = -NEVER
        if len(varied):
            model = OneVsRestClassifier(model).fit(vectors, truth[:, varied].astype(int))
            weight[varied] = np.concatenate([one.coef_ for one in model.estimators_])
            bias[varied] = np.concatenate([one.intercept_ for one in model.estimators_])
    elif len(present) > 1:
        model.fit(vectors, truth[:, present].argmax(1))
        of_two = len(present) == 2  # one row of weights, of the second label against the first
        signs = np.array([[-0.5], [0.5]]) if of_two else 1.0
        weight[present] = model.coef_ * signs
        bias[present] = model.intercept_ * np.ravel(signs)
    elif len(present):
        bias[present] = -NEVER
    return Logistic(weight, bias)


def label_text(label: str) -> str:
    """What a label says: "card_arrival" is "card arrival"."""
    return re.sub(r"[\W_]+", " ", label).strip() or label
