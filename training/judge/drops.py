"""What does each task lose from one bundle to another, and is that too much?

The interval is the paired bootstrap's, which draws whole families.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from training.judge.intervals import (
    MANY_GROUPS,
    PSEUDO_ROWS,
    Places,
    about,
    few_groups,
    group_sums,
    rows_to_tell_drop,
)
from training.judge.judged import JudgedTask
from training.judge.metrics import Counts, headline, headline_terms, label_counts

RESAMPLES = 2000
SMALLEST_MARGIN = 0.1
"""Points: a limit that is nearer to a drop than this is no question for more rows."""

ANY_DROP = (-100.0, 100.0)
"""The interval of a drop that nothing is known of."""

Verdict = Literal["passes", "undecided", "refused"]


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
    before_interval: tuple[float, float] | None = None
    """95 % interval of `before`; None: no row has a label."""
    after_interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        return f"{self.task} {self.drop:.2f} points ({self.low:.2f} to {self.high:.2f})"

    def verdict(self, limit: float) -> Verdict:
        """`passes` up to the limit. Beyond it `refused` when the interval is, else `undecided`."""
        if self.drop <= limit:
            return "passes"
        return "refused" if self.low > limit else "undecided"

    def is_proven(self, limit: float) -> bool:
        """Whether the interval lies on one side of the limit."""
        return self.high <= limit or self.low > limit

    def doubt(self, limit: float) -> str:
        """What the rows do not tell, and how many would."""
        if (self.low, self.high) == ANY_DROP:
            return (
                f"{self.task}: lost {self.drop:.2f} points; its {self.rows:,} rows are one group, "
                f"too few to tell whether the loss is above {limit:g}: label rows of other groups"
            )
        margin = max(abs(limit - self.drop), SMALLEST_MARGIN)
        needed = rows_to_tell_drop(self.rows, (self.high - self.low) / 2, margin)
        return (
            f"{self.task}: lost {self.drop:.2f} points ({self.low:.2f} to {self.high:.2f}); "
            f"{self.rows:,} rows are too few to tell whether the loss is above {limit:g}, about "
            f"{about(needed)} would tell"
        )


def measured_drops(before: Sequence[JudgedTask], after: Sequence[JudgedTask]) -> list[Drop]:
    """The drop of each task that both answer and that has labelled rows; both of one split."""
    drops = []
    after_by_name = {task.name: task for task in after}
    for task in before:
        other = after_by_name.get(task.name)
        if other is None or not task.rows:
            continue
        pair = label_counts(task.truth, task.answers), label_counts(other.truth, other.answers)
        drop, low, high = drop_interval(task.kind, *pair, task.groups)
        drops.append(
            Drop(
                task=task.name,
                rows=len(task.rows),
                before=round(float(headline(task.kind, pair[0])), 2),
                after=round(float(headline(task.kind, pair[1])), 2),
                drop=round(drop, 2),
                low=round(low, 2),
                high=round(high, 2),
                before_interval=task.interval,
                after_interval=other.interval,
            )
        )
    return drops


def int8_warnings(facts: dict[str, Any], limit: float, *verdicts: Verdict) -> list[str]:
    """A sentence for each task with one of `verdicts` whose rows were too few for the gate.

    `facts` are those of the stage `quantize`. Where it asked text without labels, what that says.
    """
    of_text = {
        task: f"; of text without labels {points:.2f} points are expected"
        for task, points in facts.get("expected", {}).items()
    }
    drops = [Drop(**facts["drops"][task]) for task in facts["unsure"]]
    return [
        f"int8 against fp32 on validation, {drop.doubt(limit)}{of_text.get(drop.task, '')}"
        for drop in drops
        if drop.verdict(limit) in verdicts
    ]


def drop_interval(
    kind: str, before: Counts, after: Counts, groups: Places | None = None, seed: int = 1
) -> tuple[float, float, float]:
    """Points lost from `before` to `after`, counts of the same rows: (drop, low, high).

    low and high bound the paired bootstrap's 95 % interval, which draws whole `groups` [rows]; by
    default each row is one.
    PSEUDO_ROWS are drawn beside them: one that is lost and one that is gained (after Bonett and
    Price, 2012). The bounds of few groups are as far apart as Student's t has them; one group's
    are ANY_DROP.
    """
    drop = headline(kind, before) - headline(kind, after)
    terms = np.concatenate([headline_terms(kind, before), headline_terms(kind, after)], axis=1)
    families = terms if groups is None else group_sums(terms, groups)  # [families, 4]
    if len(families) == 1:
        return (float(drop), *ANY_DROP)
    right, wrong = _one_label(kind, hit=True), _one_label(kind, hit=False)
    pseudo = np.stack([np.concatenate([right, wrong]), np.concatenate([wrong, right])])
    alike, counts = np.unique(families, axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(families), counts / len(families), RESAMPLES) @ alike
    drawn += random.poisson(1, (RESAMPLES, PSEUDO_ROWS)) @ pseudo
    shares = 100 * drawn[:, ::2] / np.maximum(drawn[:, 1::2], 1)
    bounds = np.percentile(shares[:, 0] - shares[:, 1], [2.5, 97.5])
    if 1 < len(families) < min(len(terms), MANY_GROUPS):
        wider = few_groups(len(families)) * math.sqrt(len(families) / (len(families) - 1))
        bounds = bounds.mean() + wider * (bounds - bounds.mean())
    low, high = np.clip(bounds, *ANY_DROP)
    return float(drop), float(low), float(high)


def _one_label(kind: str, hit: bool) -> Counts:
    """The terms of a row with one label, answered with it or without."""
    terms: Counts = headline_terms(kind, np.array([[[hit], [False], [not hit]]], np.int8))[0]
    return terms
