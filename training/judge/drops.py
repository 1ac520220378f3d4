"""What does each task lose from one bundle to another? With the paired bootstrap's interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.judge.judged import JudgedTask
from training.judge.metrics import Counts, headline, label_counts

RESAMPLES = 2000


@dataclass(frozen=True)
class Drop:
    """Points of a task's headline that are lost on the same rows; negative: gained."""

    task: str
    rows: int
    before: float
    after: float
    drop: float
    low: float
    """low and high bound the 95 % interval of `drop`."""
    high: float

    def __str__(self) -> str:
        return f"{self.task} {self.drop:.2f} points ({self.low:.2f} to {self.high:.2f})"


def measured_drops(before: Sequence[JudgedTask], after: Sequence[JudgedTask]) -> list[Drop]:
    """The drop of each task that both answer and that has labelled rows; both of one split."""
    drops = []
    after_by_name = {task.name: task for task in after}
    for task in before:
        other = after_by_name.get(task.name)
        if other is None or not task.rows:
            continue
        pair = label_counts(task.truth, task.answers), label_counts(other.truth, other.answers)
        figures = [float(headline(task.kind, counts)) for counts in pair]
        figures += drop_interval(task.kind, *pair)
        drops.append(Drop(task.name, len(task.rows), *(round(figure, 2) for figure in figures)))
    return drops


def drop_interval(kind: str, before: Counts, after: Counts, seed: int = 1) -> tuple[float, ...]:
    """Points lost from `before` to `after`, counts of the same rows: (drop, low, high).

    low and high bound the paired bootstrap's 95 % interval.
    """
    rows = len(before)
    drop = headline(kind, before) - headline(kind, after)
    before, after = before.sum(-1, keepdims=True), after.sum(-1, keepdims=True)
    random = np.random.default_rng(seed)
    picks = (random.integers(0, rows, rows) for _ in range(RESAMPLES))
    drops = [headline(kind, before[pick]) - headline(kind, after[pick]) for pick in picks]
    low, high = np.percentile(drops, [2.5, 97.5])
    return float(drop), float(low), float(high)
