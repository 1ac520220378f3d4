"""What would fastText have said? A second baseline on the same rows, where its package installs.

One model per task: averaged vectors of words, pairs of words and pieces of words, and a linear
layer (Joulin and others, 2017). Epochs and thresholds are chosen on validation.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.judge.calibrate import fit_thresholds
from training.judge.metrics import Labels, headline, label_counts, slice_metrics, table_metrics
from training.rows.table import Table

EPOCHS = (25, 5, 50)  # the first where validation has no rows
SETTINGS = {"lr": 0.2, "dim": 50, "wordNgrams": 2, "minn": 2, "maxn": 5, "bucket": 200_000}
THREADS = 12  # each fills a tenth of the table at the start: with fewer some stays as memory was
MARK = "__label__"
Scores = NDArray[np.float64]


def fasttext_metrics(table: Table) -> dict[str, Any] | None:
    """{"tasks": {task: metrics}, "slices": {...}} on the test split; None if it cannot."""
    test = table.split("test")
    texts, names = [row.text for row in test], [task.name for task in table.tasks]
    try:
        columns = [_best_head(table, index).answers(texts) for index in range(len(names))]
    except (ImportError, ValueError, RuntimeError) as error:  # the last two: nothing to learn from
        print(f"note: no fastText beside the other figures: {error}", flush=True)
        return None
    said = [dict(zip(names, answer, strict=True)) for answer in zip(*columns, strict=True)]
    return {"tasks": table_metrics(table, test, said), "slices": slice_metrics(table, test, said)}


@dataclass(frozen=True)
class _Head:
    """One task's model; `cut` holds a multi-label task's thresholds."""

    labels: tuple[str, ...]
    model: Any
    cut: Scores | None = None

    def scores(self, texts: Sequence[str]) -> Scores:
        """[texts, labels]."""
        found = np.zeros((len(texts), len(self.labels)))
        given = self.model.predict([_line(text) for text in texts], k=-1)
        for row, names, values in zip(found, *given, strict=True):
            row[[int(name.removeprefix(MARK)) for name in names]] = values
        return found

    def answers(self, texts: Sequence[str]) -> list[Labels]:
        scores = self.scores(texts)
        chosen = scores == scores.max(1, keepdims=True) if self.cut is None else scores >= self.cut
        return [frozenset(compress(self.labels, row)) for row in chosen]


def _best_head(table: Table, index: int) -> _Head:
    """The number of epochs that is best on validation."""
    kind, labels = table.tasks[index].kind, table.labels[index]
    train, validation = (_labelled(table, index, split) for split in ("train", "validation"))
    texts, truth = [text for text, _ in validation], [target for _, target in validation]

    def score(head: _Head) -> float:
        return float(headline(kind, label_counts(labels, truth, head.answers(texts))))

    heads = (_fit_head(kind, labels, train, epochs) for epochs in EPOCHS)
    if not validation:
        return next(heads)
    if kind == "multi":
        wanted = np.array([[label in target for label in labels] for target in truth], float)
        heads = (
            replace(head, cut=np.array(fit_thresholds(head.scores(texts), wanted)))
            for head in heads
        )
    return max(heads, key=score)


def _labelled(table: Table, index: int, split: str) -> list[tuple[str, Labels]]:
    return [
        (row.text, target)
        for row in table.split(split)
        if (target := row.targets[index]) is not None
    ]


def _fit_head(
    kind: str, labels: tuple[str, ...], train: list[tuple[str, Labels]], epochs: int
) -> _Head:
    import fasttext

    loss = "softmax" if kind == "single" else "ova"
    place = {label: str(place) for place, label in enumerate(labels)}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        for text, target in train:
            marks = (MARK + place[label] for label in sorted(target))
            file.write(" ".join([*marks, _line(text)]) + "\n")
        file.flush()
        model = fasttext.train_supervised(
            file.name, epoch=epochs, loss=loss, thread=THREADS, verbose=0, **SETTINGS
        )
    return _Head(labels, model, np.full(len(labels), 0.5) if kind == "multi" else None)


def _line(text: str) -> str:
    return " ".join(text.lower().split())
