"""What would a linear model have said? TF-IDF of words and characters, one linear SVM per task.

The figure that a network has to beat, on the same rows and splits, its strength and thresholds
chosen on validation as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from training.batches import targets
from training.calibrate import fit_thresholds
from training.metrics import Labels, headline, label_counts, slice_metrics, table_metrics
from training.rows import Table

LARGE = 1000  # rows
STRENGTHS = (0.1, 0.3, 1.0, 3.0)


def baseline_metrics(table: Table) -> dict[str, Any]:
    """{"tasks": {task: metrics}, "slices": {...}} of the linear model on the test split."""
    train, validation, test = (table.split(name) for name in ("train", "validation", "test"))
    rarest = 2 if len(train) >= LARGE else 1  # texts that a piece must be in
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=rarest),
    )
    known = features.fit_transform([row.text for row in train])
    unseen = [features.transform([row.text for row in rows]) for rows in (validation, test)]
    said: list[dict[str, Labels]] = [{} for _ in test]
    start = 0
    for task, labels in zip(table.tasks, table.labels, strict=True):
        wanted = [
            targets(table, rows)[:, start : start + len(labels)] for rows in (train, validation)
        ]
        start += len(labels)
        answers = _best_answers(task.kind, labels, known, wanted, unseen)
        for row, answer in zip(said, answers, strict=True):
            row[task.name] = answer
    return {"tasks": table_metrics(table, test, said), "slices": slice_metrics(table, test, said)}


def _best_answers(
    kind: str, labels: tuple[str, ...], known: Any, wanted: list[Any], unseen: Any
) -> list[Labels]:
    """Test answers of the strength that is best on validation."""
    best, answers = -1.0, []
    train, validation = (~np.isnan(targets[:, 0]) for targets in wanted)
    truth = [_set(row > 0, labels) for row in wanted[1][validation]]
    for strength in STRENGTHS:
        scores = _scores(kind, strength, known[train], wanted[0][train], unseen)
        cut: Any = None
        if kind == "multi":
            grid = np.linspace(-1, 1, 81)
            fitted = fit_thresholds(scores[0][validation], wanted[1][validation], grid)
            cut = np.array(fitted)
        given = [_answer(row, cut, labels) for row in scores[0][validation]]
        score = float(headline(kind, label_counts(labels, truth, given))) if truth else 0.0
        if score > best:
            best, answers = score, [_answer(row, cut, labels) for row in scores[1]]
    return answers


def _scores(kind: str, strength: float, known: Any, wanted: Any, unseen: Any) -> list[Any]:
    """Decision values [rows, labels] on validation and test."""
    present = np.flatnonzero(wanted.sum(0) > 0)
    full = [np.full((part.shape[0], wanted.shape[1]), -9.0) for part in unseen]
    if len(present) == 0 or (kind == "single" and len(present) == 1):
        for part in full:
            part[:, present] = 9.0
        return full
    model = LinearSVC(C=strength)
    if kind == "multi":
        model = OneVsRestClassifier(model)
        model.fit(known, wanted[:, present].astype(int))
    else:
        model.fit(known, wanted[:, present].argmax(1))
    for part, rows in zip(full, unseen, strict=True):
        values = model.decision_function(rows)
        part[:, present] = np.stack([-values, values], 1) if values.ndim == 1 else values
    return full


def _answer(scores: NDArray[np.float64], cut: Any, labels: tuple[str, ...]) -> Labels:
    if cut is None:
        return frozenset([labels[int(scores.argmax())]])
    return _set(scores >= cut, labels)


def _set(chosen: NDArray[np.bool_], labels: tuple[str, ...]) -> Labels:
    return frozenset(labels[place] for place in np.flatnonzero(chosen))
