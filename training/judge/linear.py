"""What does a linear model make of the same rows? TF-IDF of words and characters, linear SVMs.

It is the baseline that a network has to beat, and it lends the teacher what a network lacks:
pieces of words never seen whole, and the habit of answering the commonest label when in doubt.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from training.fit.batches import targets
from training.judge.metrics import Marks
from training.judge.thresholds import ScoredTask, best_candidate
from training.rows.table import Table

LARGE = 1000  # rows
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
GRID = np.linspace(-1, 1, 81)
NEVER = -9.0  # decision value of a label without training rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Decision values are signed distances, about -1 to 1."""

    features: Any
    tasks: tuple[ScoredTask, ...]

    def decision_values(self, texts: Sequence[str]) -> Floats:
        """[texts, labels of all tasks]."""
        features = self.features.transform(texts)
        return np.concatenate([task.scores(features) for task in self.tasks], axis=1)

    def answers(self, texts: Sequence[str]) -> Marks:
        """[texts, labels of all tasks]."""
        features = self.features.transform(texts)
        return np.concatenate([task.answers(features) for task in self.tasks], axis=1)


@functools.lru_cache(maxsize=1)  # a run uses it as a teacher, and then as a baseline
def fit_linear(table: Table) -> LinearModel:
    """Fitted on the training split; strengths and thresholds chosen on validation."""
    train, validation = table.split("train"), table.split("validation")
    vectorizer = text_features(len(train))
    train_features = vectorizer.fit_transform([row.text for row in train])
    validation_features = vectorizer.transform([row.text for row in validation])
    train_truth, validation_truth = targets(table, train), targets(table, validation)
    tasks = []
    for head in table.heads:
        truth, held_out = head.of(train_truth), head.of(validation_truth)
        labelled, judged = ~np.isnan(truth[:, 0]), ~np.isnan(held_out[:, 0])
        known, truth = train_features[labelled], truth[labelled] > 0
        unknown, held_out = validation_features[judged], held_out[judged] > 0
        candidates = (_Svm(head.kind, strength, known, truth) for strength in STRENGTHS)
        tasks.append(best_candidate(head.kind, candidates, unknown, held_out, 0.0, GRID))
    return LinearModel(vectorizer, tuple(tasks))


def text_features(rows: int) -> Any:
    """The unfitted features of so many training texts."""
    rarest = 2 if rows >= LARGE else 1  # texts that a piece must be in
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=rarest),
    )


class _Svm:
    """One task's support vector machine; a constant where there is nothing to separate."""

    def __init__(self, kind: str, strength: float, features: Any, truth: Marks) -> None:
        self.labels = truth.shape[1]
        self.present = np.flatnonzero(truth.any(0))
        """Columns of the labels that training rows have."""
        self.model: Any = None
        if len(self.present) == 0 or (kind == "single" and len(self.present) == 1):
            return
        self.model = LinearSVC(C=strength)
        if kind == "multi":
            self.model = OneVsRestClassifier(self.model)
            self.model.fit(features, truth[:, self.present].astype(int))
        else:
            self.model.fit(features, truth[:, self.present].argmax(1))

    def __call__(self, features: Any) -> Floats:
        """[rows, labels]."""
        values = np.full((features.shape[0], self.labels), NEVER)
        if self.model is None:
            values[:, self.present] = -NEVER
            return values
        decision = self.model.decision_function(features)
        if decision.ndim == 1:
            two = len(self.present) == 2
            decision = np.stack([-decision, decision], 1) if two else decision[:, None]
        values[:, self.present] = decision
        return values
