"""What does `profile.answers` of a log line count? model/answers.py declares and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from model.answers import MOST_LABELS, SCORE_BINS
from profiling.logs.json_fields import count, mapping, text

LABELS, SCORES, PIECES = "labels", "scores", "pieces"
"""What is counted: texts by label, texts by the score of the first label, word pieces."""
NONE, OTHER = "(none)", "(other)"
"""In the place of a label: there is none, or it is past MOST_LABELS."""
KNOWN, UNKNOWN = "known", "unknown"
BINS = tuple(
    f"{place / SCORE_BINS:.1f}-{(place + 1) / SCORE_BINS:.1f}" for place in range(SCORE_BINS)
)
"""Bins of the scores."""
ALL_TASKS = ""
MOST_TASKS = 1000


class Cell(NamedTuple):
    """One thing that is counted."""

    task: str
    """ALL_TASKS for pieces."""
    part: str
    """LABELS, SCORES or PIECES."""
    category: str
    """A label, a bin of scores, KNOWN or UNKNOWN."""


def read_answers(profile: Mapping[str, Any]) -> dict[Cell, int]:
    """The counts of a line's `profile`, none of them zero; nothing where it has none.

    Raises LookupError, TypeError or ValueError for odd ones.
    """
    if "answers" not in profile:
        return {}
    answers = profile["answers"]
    pieces, unknown = count(answers["pieces"]), count(answers["unknown"])
    cells = {
        Cell(ALL_TASKS, PIECES, KNOWN): count(pieces - unknown),
        Cell(ALL_TASKS, PIECES, UNKNOWN): unknown,
    }
    if len(answers["tasks"]) > MOST_TASKS:
        raise ValueError("too many tasks")
    for task, counts in answers["tasks"].items():
        cells |= _read_task(text(task), mapping(counts))
    return {cell: n for cell, n in cells.items() if n}


def _read_task(task: str, counts: Mapping[str, Any]) -> dict[Cell, int]:
    labels, scores = counts["labels"], counts["scores"]
    if len(labels) > MOST_LABELS or len(scores) != SCORE_BINS:
        raise ValueError("too many labels, or another number of bins")
    cells = {Cell(task, LABELS, text(label)): count(n) for label, n in labels.items()}
    for key, category in (("none", NONE), ("other", OTHER)):
        cells[Cell(task, LABELS, category)] = count(counts.get(key, 0))
    cells |= {Cell(task, SCORES, bin_): count(n) for bin_, n in zip(BINS, scores, strict=True)}
    return cells
