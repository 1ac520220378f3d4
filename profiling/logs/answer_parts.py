"""The counted answers of some requests, or of a run's held-out rows, as distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from profiling.logs.answer_fields import LABELS, NONE
from profiling.logs.distributions import Distribution
from profiling.logs.selection import Requests
from tables.held_out import HeldOut

PARTS = 30
"""Stretches into which requests are split, or the root of their number where that is more."""
LABELLED = 0.9
"""A task with a smaller share of the held-out rows is answered for some kinds of texts only."""


class Topic(NamedTuple):
    """What has a distribution."""

    task: str
    part: str

    @property
    def title(self) -> str:
        return f"{self.task} {self.part}".strip()


Distributions = Mapping[Topic, Distribution]


def with_answers(requests: Requests) -> Requests:
    """Those whose answers are counted."""
    inside = requests.places()[requests.answers.counts["request"]]
    return requests.where(np.unique(inside[inside >= 0]))


def of_requests(requests: Requests) -> dict[Topic, Distribution]:
    """By topic, in parts of consecutive requests; all of them have counted answers."""
    parts = min(len(requests), max(PARTS, math.isqrt(len(requests))))
    if not parts:
        return {}
    part_of = np.arange(len(requests)) * parts // len(requests)
    inside = requests.places()[requests.answers.counts["request"]]
    counts = requests.answers.counts[inside >= 0]
    inside = inside[inside >= 0]
    cell_numbers, cell_of = np.unique(counts["cell"], return_inverse=True)
    cells = [requests.answers.cells[number] for number in cell_numbers]
    table = np.zeros((parts, len(cells)))
    np.add.at(table, (part_of[inside], cell_of), counts["count"])
    by_topic: dict[Topic, list[int]] = {}
    for place, cell in enumerate(cells):
        by_topic.setdefault(Topic(cell.task, cell.part), []).append(place)
    distributions = {}
    for topic, places in by_topic.items():
        of_topic = table[:, places]
        totals = of_topic.sum(1)
        if topic.part == LABELS:  # a text may have several
            have = np.unique(inside[np.isin(cell_of, places)])
            totals = np.bincount(part_of[have], requests["texts"][have], parts)
        names = [cells[place].category for place in places]
        if (has_some := totals > 0).any():
            distributions[topic] = Distribution(names, of_topic[has_some], totals[has_some])
    return distributions


def of_held_out(record: HeldOut) -> tuple[dict[Topic, Distribution], list[str]]:
    """By topic, each row a part; and the tasks that are left out, since few rows have them."""
    rows = max(map(len, record.tasks.values()), default=0)
    distributions, left_out = {}, []
    for task, answers in record.tasks.items():
        if len(answers) < max(2, LABELLED * rows):
            left_out.append(task)
            continue
        labels = sorted({label for answer in answers.values() for label in answer})
        column = {label: place for place, label in enumerate([*labels, NONE])}
        counts = np.zeros((len(answers), len(column)))
        for row, answer in zip(counts, answers.values(), strict=True):
            row[[column[label] for label in answer or [NONE]]] = 1
        distribution = Distribution([*column], counts, np.ones(len(answers)))
        distributions[Topic(task, LABELS)] = distribution
    return distributions, left_out
