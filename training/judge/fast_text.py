"""How would fastText answer? A second baseline on the same rows, where its package installs.

One model per task: averaged vectors of words, pairs of words and pieces of words, and a linear
layer (Joulin and others, 2017). Epochs and thresholds are chosen on validation.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.heads import Head
from training.fit.batches import targets
from training.judge.metrics import Marks
from training.judge.thresholds import best_candidate
from training.rows.table import Table

EPOCHS = (25, 5, 50)  # the first where validation has no rows
SETTINGS = {"lr": 0.2, "dim": 50, "wordNgrams": 2, "minn": 2, "maxn": 5, "bucket": 200_000}
THREADS = 12  # each fills a tenth of the table at the start: with fewer, part is never initialized
MARK = "__label__"


def fasttext_answers(table: Table, texts: Sequence[str]) -> Marks | None:
    """[texts, labels of all tasks], learned from the training split; None where it cannot be."""
    try:
        return np.concatenate([_task_answers(table, head, texts) for head in table.heads], axis=1)
    except (ImportError, ValueError, RuntimeError) as error:  # the last two: nothing to learn from
        print(f"note: no fastText beside the other figures: {error}", flush=True)
        return None


def _task_answers(table: Table, head: Head, texts: Sequence[str]) -> Marks:
    """[texts, labels of one task], by the number of epochs that is best on validation."""
    parts = []
    for split in ("train", "validation"):
        rows = table.split(split)
        target = head.of(targets(table, rows))
        labelled = np.flatnonzero(~np.isnan(target[:, 0])).tolist()
        parts.append(([rows[place].text for place in labelled], target[labelled] > 0))
    (train_texts, train_truth), (held_out, truth) = parts
    models = (_FastText(head.kind, train_texts, train_truth, epochs) for epochs in EPOCHS)
    return best_candidate(head.kind, models, held_out, truth, 0.5).answers(texts)


class _FastText:
    """One task's model, trained on `texts` whose labels are `truth` [texts, labels]."""

    def __init__(self, kind: str, texts: Sequence[str], truth: Marks, epochs: int) -> None:
        import fasttext

        self.labels = truth.shape[1]
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
            for text, row in zip(texts, truth, strict=True):
                marks = (f"{MARK}{place}" for place in np.flatnonzero(row))
                file.write(" ".join([*marks, _line(text)]) + "\n")
            file.flush()
            self.model: Any = fasttext.train_supervised(
                file.name,
                epoch=epochs,
                loss="softmax" if kind == "single" else "ova",
                thread=THREADS,
                verbose=0,
                **SETTINGS,
            )

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Scores [texts, labels]."""
        scores = np.zeros((len(texts), self.labels))
        predictions = self.model.predict([_line(text) for text in texts], k=-1)
        for row, names, values in zip(scores, *predictions, strict=True):
            row[[int(name.removeprefix(MARK)) for name in names]] = values
        return scores


def _line(text: str) -> str:
    return " ".join(text.lower().split())
