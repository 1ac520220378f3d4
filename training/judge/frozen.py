"""What does the base know without any training? Logistic regression on its sentence vectors.

Most people try this first, and with few rows a network is hard put to beat it: the third baseline.
With a row for each label that says what the label is called it joins the committee that teaches
the student: where a label has five rows, its name is worth as much as several of them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.heads import Head
from training.fit.batches import targets
from training.fit.logistic import Logistic, Vectors, fit_logistic, label_text
from training.fit.sentence_vectors import sentence_vectors
from training.judge.metrics import Marks
from training.judge.thresholds import ScoredTask, best_candidate
from training.rows.table import Row
from training.run import Run

MAX_TOKENS = 128
"""Of a text that are read; a mean says little of longer ones."""
STRENGTHS = (30.0, 10.0, 100.0)
"""The first where validation has no rows."""
GRID = np.linspace(-5, 3, 81)
MOST_ROWS = 20_000
"""Training rows that it is fitted to; more change nothing that shows."""


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """Of each task a head on the base's sentence vectors, and one that knows the labels' names."""

    base: Path
    max_tokens: int
    long_texts: str
    tasks: tuple[ScoredTask, ...]
    named: tuple[Logistic, ...]
    read: Vectors
    """[texts, width], of what it was fitted to and chosen by."""
    places: dict[str, int]
    """Of those texts, in `read`."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """[texts, width]."""
        new = list(dict.fromkeys(text for text in texts if text not in self.places))
        vectors = sentence_vectors(self.base, new, self.max_tokens, self.long_texts)
        places = self.places | {text: len(self.read) + n for n, text in enumerate(new)}
        return np.concatenate([self.read, vectors])[[places[text] for text in texts]]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[texts, labels of all tasks], by the heads that know the labels' names."""
        vectors = self.vectors(texts)
        return np.concatenate([head.logits(vectors) for head in self.named], axis=1)

    def fitted_to(self, run: Run, rows: Sequence[Row]) -> FrozenModel:
        """The same with heads that know the labels' names and these rows."""
        vectors, truth = self.vectors([row.text for row in rows]), targets(run.table, rows)
        named = []
        for head, task in zip(run.heads, self.tasks, strict=True):
            assert isinstance(task.scores, _Candidate)
            part, marks = _labelled(vectors, head.of(truth))
            named.append(_with_names(run, head, part, marks, task.scores.strength))
        return replace(self, named=tuple(named))

    def answers(self, texts: Sequence[str]) -> Marks:
        """[texts, labels of all tasks], of the baseline."""
        vectors = self.vectors(texts)
        return np.concatenate([task.answers(vectors) for task in self.tasks], axis=1)


def _with_names(run: Run, head: Head, vectors: Vectors, truth: Marks, strength: float) -> Logistic:
    """A head that is fitted also to a row for each label, which says what it is called."""
    names = [label_text(label) for label in head.labels]
    vectors = np.concatenate([vectors, sentence_vectors(run.base, names, MAX_TOKENS)])
    truth = np.concatenate([truth, np.eye(len(names), dtype=bool)])
    return fit_logistic(head.kind, vectors, truth, strength)


@functools.lru_cache(maxsize=1)  # a run uses it as a teacher, and then as a baseline
def fit_frozen(run: Run) -> FrozenModel:
    """Fitted on the training split; strengths and thresholds chosen on validation."""
    tasks, named = [], []
    texts, vectors, truth = _of(run, "train")
    other_texts, held_out_vectors, held_out = _of(run, "validation")
    for head in run.heads:
        part, marks = _labelled(vectors, head.of(truth))
        candidates = (_Candidate.fitted(head.kind, part, marks, value) for value in STRENGTHS)
        task = best_candidate(
            head.kind, candidates, *_labelled(held_out_vectors, head.of(held_out)), 0.0, GRID
        )
        tasks.append(task)
        assert isinstance(task.scores, _Candidate)
        named.append(_with_names(run, head, part, marks, task.scores.strength))
    return FrozenModel(
        run.base,
        MAX_TOKENS,
        run.recipe.data.long_texts,
        tuple(tasks),
        tuple(named),
        np.concatenate([vectors, held_out_vectors]),
        {text: place for place, text in enumerate([*texts, *other_texts])},
    )


@dataclass(frozen=True, eq=False)
class _Candidate:
    strength: float
    head: Logistic

    @classmethod
    def fitted(cls, kind: str, vectors: Vectors, truth: Marks, strength: float) -> _Candidate:
        return cls(strength, fit_logistic(kind, vectors, truth, strength))

    def __call__(self, vectors: Vectors) -> NDArray[np.float64]:
        """[rows, labels]."""
        return self.head.logits(vectors).astype(np.float64)


def _of(run: Run, split: str) -> tuple[list[str], Vectors, NDArray[np.float32]]:
    """Texts, vectors [rows, width], targets [rows, labels of all tasks] of a split, or a part."""
    rows = run.table.split(split)
    rows = rows[:: 1 + len(rows) // MOST_ROWS]
    texts = [row.text for row in rows]
    vectors = sentence_vectors(run.base, texts, MAX_TOKENS, run.recipe.data.long_texts)
    return texts, vectors, targets(run.table, rows)


def _labelled(vectors: Vectors, target: NDArray[np.float32]) -> tuple[Vectors, Marks]:
    """The rows that are labelled for a task, and their labels [rows, labels]."""
    labelled = ~np.isnan(target[:, 0])
    return vectors[labelled], target[labelled] > 0
