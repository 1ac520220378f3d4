"""What was answered to the rows of a table? One inference serves metrics, slices and mistakes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.heads import Heads
from training.fit.batches import targets
from training.judge.intervals import Places, ratio_bounds
from training.judge.metrics import (
    FEW_ROWS,
    HEADLINE,
    Marks,
    calibration_error,
    headline_terms,
    label_counts,
    task_metrics,
)
from training.rows.table import Row, Table

if TYPE_CHECKING:
    from model.answers import Prediction

SMALLEST_SLICE = 20  # rows; a figure from fewer says nothing


@dataclass(frozen=True, eq=False)
class JudgedTask:
    """The rows that are labelled for one task, and what was answered to them."""

    name: str
    kind: str
    labels: tuple[str, ...]
    rows: list[Row]
    truth: Marks
    """[rows, labels], as the next two."""
    answers: Marks
    scores: NDArray[np.float64] | None = None
    """The probability of every label, given or not; None where the answerer has none."""

    @property
    def headline(self) -> float | None:
        """Accuracy or micro-F1 in percent; None: no row has a label."""
        figure: float | None = self.metrics()[HEADLINE[self.kind]]
        return figure

    @property
    def groups(self) -> Places:
        """[rows]: a number for each row's group."""
        return np.unique([row.group for row in self.rows], return_inverse=True)[1]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The bounds of the headline's 95 % interval; None: no row has a label."""
        if not self.truth.any():
            return None
        terms = headline_terms(self.kind, label_counts(self.truth, self.answers))
        return ratio_bounds(terms, self.groups)

    def metrics(self) -> dict[str, Any]:
        """{"rows", headline, "macro_f1", "interval"}; None: no row has a label."""
        bounds = self.interval
        figures = task_metrics(self.kind, self.truth, self.answers)
        return {**figures, "interval": bounds and list(bounds)}

    def of_slice(self, name: str) -> JudgedTask:
        """The rows of one slice alone."""
        places = [place for place, row in enumerate(self.rows) if row.slice == name]
        return replace(
            self,
            rows=[self.rows[place] for place in places],
            truth=self.truth[places],
            answers=self.answers[places],
            scores=None if self.scores is None else self.scores[places],
        )

    def calibration_error(self) -> float | None:
        """Expected calibration error in percent; None: fewer than FEW_ROWS rows, or no scores.

        Of a single-label task's likeliest labels, or of all labels of a multi-label task.
        """
        if self.scores is None or len(self.rows) < FEW_ROWS:
            return None
        scores, truth = self.scores, self.truth
        if self.kind == "single":
            best = scores.argmax(1)[:, None]
            scores, truth = np.take_along_axis(scores, best, 1), np.take_along_axis(truth, best, 1)
        return round(calibration_error(scores.ravel(), truth.ravel()), 2)


def judge_answers(
    table: Table, rows: Sequence[Row], answers: Marks, scores: NDArray[np.float64] | None = None
) -> list[JudgedTask]:
    """Each task's labelled rows; `answers` and `scores` [rows, labels of all tasks]."""
    truth = targets(table, rows)
    judged = []
    for head in table.heads:
        labelled = np.flatnonzero(~np.isnan(head.of(truth)[:, 0])).tolist()
        judged.append(
            JudgedTask(
                head.name,
                head.kind,
                head.labels,
                [rows[place] for place in labelled],
                head.of(truth)[labelled] > 0,
                head.of(answers)[labelled],
                None if scores is None else head.of(scores)[labelled],
            )
        )
    return judged


def judge_bundle(table: Table, bundle: Path, split: str) -> list[JudgedTask]:
    """The tasks that the bundle answers, on `split`; see `judge_rows`."""
    return judge_rows(table, bundle, table.split(split))


def judge_rows(table: Table, bundle: Path, rows: Sequence[Row]) -> list[JudgedTask]:
    """The tasks that the bundle answers, on `rows`, through the classifier that serves.

    Labels are matched by name; those that only the bundle knows come after the table's.
    Raises BundleError for a bundle that cannot be used.
    """
    classifier = Classifier.load(bundle, threads=os.cpu_count() or 1)
    bundle_heads = classifier.bundle.heads
    labels = {head.name: head.labels for head in bundle_heads}
    wide = replace(
        table,
        tasks=tuple(
            task._replace(
                labels=(*task.labels, *sorted({*labels.get(task.name, ())} - {*task.labels}))
            )
            for task in table.tasks
        ),
    )
    logits = classifier.logits([row.text for row in rows])
    predictions = classifier.answers(logits)
    probabilities = classifier.probabilities(logits)
    answers = marks(wide.heads, predictions)
    scores = np.zeros(answers.shape)
    for head in (head for head in wide.heads if head.name in labels):
        places = [head.labels.index(label) for label in labels[head.name]]
        head.of(scores)[:, places] = bundle_heads[head.name].of(probabilities)
    return [task for task in judge_answers(wide, rows, answers, scores) if task.name in labels]


def marks(heads: Heads, predictions: Sequence[Prediction]) -> Marks:
    """[predictions, labels of all tasks]: which labels were answered; none of other tasks."""
    answers = np.zeros((len(predictions), heads.width), np.bool_)
    for head in heads:
        column = {label: place for place, label in enumerate(head.labels)}
        for line, prediction in zip(head.of(answers), predictions, strict=True):
            line[[column[entry["label"]] for entry in prediction.get(head.name, ())]] = True
    return answers


def metrics_of(judged: Sequence[JudgedTask], rows: Sequence[Row]) -> dict[str, Any]:
    """{"tasks": {task: metrics}, "slices": {slice: {task: metrics}}} of all `rows` of a split.

    Tasks with scores have their calibration error, "ece", too. Slices of few rows are left out.
    """
    tasks = {task.name: task.metrics() for task in judged}
    for task in judged:
        if task.scores is not None:
            tasks[task.name]["ece"] = task.calibration_error()
    slices = Counter(row.slice for row in rows if row.slice)
    return {
        "tasks": tasks,
        "slices": {
            name: {task.name: task.of_slice(name).metrics() for task in judged}
            for name in sorted(slices)
            if slices[name] >= SMALLEST_SLICE
        },
    }
