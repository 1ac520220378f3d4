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
from training.judge.calibrate import fit_thresholds
from training.judge.metrics import Labels, headline, label_counts
from training.rows.table import Table

LARGE = 1000  # rows
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
GRID = np.linspace(-1, 1, 81)
NEVER = -9.0  # decision value of a label without training rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearHead:
    """One task's SVM; `cut` holds a multi-label task's thresholds, fitted on validation."""

    kind: str
    labels: tuple[str, ...]
    model: Any
    present: NDArray[np.intp]
    """Columns of the labels that training rows have."""
    cut: Floats | None = None

    def decision_values(self, features: Any) -> Floats:
        """[rows, labels]: signed distances, about -1 to 1."""
        values = np.full((features.shape[0], len(self.labels)), NEVER)
        if self.model is None:
            values[:, self.present] = -NEVER
            return values
        found = self.model.decision_function(features)
        if found.ndim == 1:
            found = np.stack([-found, found], 1) if len(self.present) == 2 else found[:, None]
        values[:, self.present] = found
        return values

    def answer(self, values: Floats) -> Labels:
        if self.cut is None:
            return frozenset([self.labels[int(values.argmax())]])
        return _set(values >= self.cut, self.labels)


@dataclass(frozen=True)
class LinearModel:
    features: Any
    heads: tuple[LinearHead, ...]

    def decision_values(self, texts: Sequence[str]) -> Floats:
        """[texts, labels of all tasks]."""
        known = self.features.transform(texts)
        return np.concatenate([head.decision_values(known) for head in self.heads], axis=1)

    def answers(self, texts: Sequence[str]) -> list[tuple[Labels, ...]]:
        """For each text the labels of each task."""
        known = self.features.transform(texts)
        columns = [[head.answer(row) for row in head.decision_values(known)] for head in self.heads]
        return list(zip(*columns, strict=True))


@functools.lru_cache(maxsize=1)  # a run has it teach, and then compares with it
def fit_linear(table: Table) -> LinearModel:
    """Fitted on the training split; strengths and thresholds chosen on validation."""
    train, validation = table.split("train"), table.split("validation")
    rarest = 2 if len(train) >= LARGE else 1  # texts that a piece must be in
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=rarest),
    )
    known = features.fit_transform([row.text for row in train])
    unseen = features.transform([row.text for row in validation])
    truth = [targets(table, rows) for rows in (train, validation)]
    heads, start = [], 0
    for task, labels in zip(table.tasks, table.labels, strict=True):
        columns = [part[:, start : start + len(labels)] for part in truth]
        start += len(labels)
        heads.append(_best_head(task.kind, labels, (known, unseen), columns))
    return LinearModel(features, tuple(heads))


def _best_head(
    kind: str, labels: tuple[str, ...], features: tuple[Any, Any], truth: list[Any]
) -> LinearHead:
    """The strength that is best on validation."""
    train, validation = (~np.isnan(part[:, 0]) for part in truth)
    known, unseen = features[0][train], features[1][validation]
    wanted = [_set(row > 0, labels) for row in truth[1][validation]]
    best, chosen = -1.0, None
    for strength in STRENGTHS:
        head = _fit_head(kind, labels, strength, known, truth[0][train])
        if not wanted:
            return head
        values = head.decision_values(unseen)
        if kind == "multi":
            cut = np.array(fit_thresholds(values, truth[1][validation], GRID))
            head = LinearHead(kind, labels, head.model, head.present, cut)
        given = [head.answer(row) for row in values]
        score = float(headline(kind, label_counts(labels, wanted, given)))
        if score > best:
            best, chosen = score, head
    assert chosen is not None
    return chosen


def _fit_head(
    kind: str, labels: tuple[str, ...], strength: float, known: Any, wanted: Any
) -> LinearHead:
    present = np.flatnonzero(wanted.sum(0) > 0)
    cut = np.zeros(len(labels)) if kind == "multi" else None
    if len(present) == 0 or (kind == "single" and len(present) == 1):
        return LinearHead(kind, labels, None, present, cut)
    model = LinearSVC(C=strength)
    if kind == "multi":
        model = OneVsRestClassifier(model)
        model.fit(known, wanted[:, present].astype(int))
    else:
        model.fit(known, wanted[:, present].argmax(1))
    return LinearHead(kind, labels, model, present, cut)


def _set(chosen: NDArray[np.bool_], labels: tuple[str, ...]) -> Labels:
    return frozenset(labels[place] for place in np.flatnonzero(chosen))
