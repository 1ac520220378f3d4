"""What was answered over time, and where does it differ by more than noise?

The answers of each bundle, in stretches of equally many requests: each against the first of them,
and against the answers that the bundle's training held out. Or one side of --compare against the
other. All comparisons of a table together have ERROR_RATE of one false alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from profiling.logs.answer_parts import (
    Distributions,
    Topic,
    of_held_out,
    of_requests,
    with_answers,
)
from profiling.logs.comparison import ERROR_RATE, NEGLIGIBLE, Side
from profiling.logs.distributions import Shift, shift_between
from profiling.logs.selection import Requests
from profiling.logs.source import SourceError
from tables.held_out import HeldOut, read_record, record_path

STRETCHES = 6
FEWEST_REQUESTS = 100
"""In a stretch; a log of fewer than twice as many shows no change over time."""
FEWEST_PARTS = 10
"""With answers to a topic; fewer give no verdict."""
HELD_OUT = "held out"
CHANGED, SAME, NOISE, TOO_FEW = "changed", "same", "noise", "too few"
"""Verdicts. `same`: told from noise, but less than NEGLIGIBLE moved."""
NO_ANSWERS = "no line counts answers: an older version wrote them, or one with LOG_ANSWERS=off"


@dataclass(frozen=True)
class AnswerColumn:
    """A stretch of time, a side, or the held-out rows."""

    name: str
    requests: int
    """Those whose answers are counted; held-out rows, of the task that has most."""
    texts: int
    distributions: Distributions = field(repr=False)


@dataclass(frozen=True)
class ShareRow:
    """How large a share a category has, in each column; None where that lacks the topic."""

    topic: str
    category: str
    shares: list[float | None]


@dataclass(frozen=True)
class DriftRow:
    """One topic of a column against that of a reference, another column."""

    topic: str
    reference: str
    column: str
    verdict: str
    shift: Shift | None
    """None where there are too few."""


@dataclass(frozen=True)
class Drift:
    title: str
    verdict: str
    notes: list[str]
    columns: list[str]
    requests: list[int]
    """Of each column, as AnswerColumn has them."""
    texts: list[int]
    shares: list[ShareRow]
    rows: list[DriftRow]


def drift_of_sides(a: Side, b: Side) -> list[Drift]:
    """B against A; raises SourceError."""
    columns = [_column(side.name, with_answers(side.requests)) for side in (a, b)]
    if not all(column.requests for column in columns):
        raise SourceError(NO_ANSWERS)
    return [_drift(f"Answers of {b.name} against {a.name}", columns, [(0, 1)], [])]


def drift_over_time(requests: Requests, bundle: Path | None) -> list[Drift]:
    """For each bundle that answered; raises SourceError.

    `bundle`: the directory of one, beside which the answers that its training held out are.
    """
    by_bundle = {
        name: of_bundle for name, of_bundle in with_answers(requests).by_bundle().items() if name
    }
    if not by_bundle:
        raise SourceError(NO_ANSWERS)
    records = _records(bundle, [*by_bundle]) if bundle is not None else {}
    return [_over_time(name, of_bundle, records.get(name)) for name, of_bundle in by_bundle.items()]


def _records(bundle: Path, names: Sequence[str]) -> dict[str, HeldOut]:
    """The held-out answers of those bundles in the log that `bundle` is; raises SourceError."""
    path = record_path(bundle)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; training writes it beside its bundle")
    try:
        records = {name: read_record(bundle, name) for name in names}
    except ValueError as error:
        raise SourceError(str(error)) from None
    matching = {name: record for name, record in records.items() if record is not None}
    if not matching:
        raise SourceError(f"{path}: of another bundle than the log's: {', '.join(names)}")
    return matching


def _over_time(name: str, requests: Requests, record: HeldOut | None) -> Drift:
    number = min(STRETCHES, max(1, len(requests) // FEWEST_REQUESTS))
    stretches = [*map(requests.where, np.array_split(np.arange(len(requests)), number))]
    columns = [*map(_column, _names(stretches), stretches)]
    pairs = [(0, place) for place in range(1, number)]
    notes = []
    if number == 1:
        notes.append(
            f"{len(requests)} requests: no change over time is told before {2 * FEWEST_REQUESTS}"
        )
    if record is not None:
        distributions, left_out = of_held_out(record)
        rows = max(map(len, record.tasks.values()))
        columns.append(AnswerColumn(HELD_OUT, rows, rows, distributions))
        pairs += [(number, place) for place in range(number)]
        notes += [
            f"{task} is not compared with the held-out answers: only some kinds of texts have one"
            for task in left_out
        ]
    return _drift(f"Answers of {name}", columns, pairs, notes)


def _column(name: str, requests: Requests) -> AnswerColumn:
    return AnswerColumn(name, len(requests), int(requests["texts"].sum()), of_requests(requests))


def _names(stretches: Sequence[Requests]) -> list[str]:
    """When each began, as `11-26 08:30` or `08:30:15`; numbers where none tells them apart."""
    begins = [period[0] for stretch in stretches if (period := stretch.period)]
    one_day = len({begin.date() for begin in begins}) == 1
    names = [f"{begin:%H:%M:%S}" if one_day else f"{begin:%m-%d %H:%M}" for begin in begins]
    if len({*names}) < len(stretches):
        return [f"part {place}" for place in range(1, len(stretches) + 1)]
    return names


def _drift(
    title: str,
    columns: Sequence[AnswerColumn],
    pairs: Sequence[tuple[int, int]],
    notes: list[str],
) -> Drift:
    """`pairs`: places of a reference and of what is compared with it."""
    compared = [
        (topic, columns[reference], columns[place])
        for reference, place in pairs
        for topic in columns[place].distributions
        if topic in columns[reference].distributions
    ]
    error_rate = ERROR_RATE / max(1, len(compared))
    rows = [_row(*of_pair, error_rate) for of_pair in compared]
    return Drift(
        title=title,
        verdict=_sentence(rows),
        notes=notes,
        columns=[column.name for column in columns],
        requests=[column.requests for column in columns],
        texts=[column.texts for column in columns],
        shares=[row for topic in _topics(columns) for row in _share_rows(topic, columns)],
        rows=rows,
    )


def _row(
    topic: Topic, reference: AnswerColumn, column: AnswerColumn, error_rate: float
) -> DriftRow:
    a, b = (side.distributions[topic] for side in (reference, column))
    if min(len(a.totals), len(b.totals)) < FEWEST_PARTS:
        return DriftRow(topic.title, reference.name, column.name, TOO_FEW, None)
    shift = shift_between(a, b, error_rate)
    is_told = shift.chance < error_rate
    verdict = (CHANGED if shift.moved >= NEGLIGIBLE else SAME) if is_told else NOISE
    return DriftRow(topic.title, reference.name, column.name, verdict, shift)


def _sentence(rows: Sequence[DriftRow]) -> str:
    told = sum(row.verdict != TOO_FEW for row in rows)
    changed = sum(row.verdict == CHANGED for row in rows)
    if not told:
        return "too few requests to tell a change"
    if not changed:
        missed = max(row.shift.missed for row in rows if row.shift)
        return (
            f"no change that is told from noise, in {told} comparisons; one of up to "
            f"{100 * missed:.0f} points of a share would have been missed"
        )
    return f"{changed} of {told} comparisons show a change that is more than noise"


def _topics(columns: Sequence[AnswerColumn]) -> list[Topic]:
    return list(dict.fromkeys(topic for column in columns for topic in column.distributions))


def _share_rows(topic: Topic, columns: Sequence[AnswerColumn]) -> Iterator[ShareRow]:
    """A row for each category, the most frequent first; bins of scores in their order."""
    by_column = [column.distributions.get(topic) for column in columns]
    shares = [
        None if of is None else dict(zip(of.categories, of.shares.tolist(), strict=True))
        for of in by_column
    ]
    highest: dict[str, float] = {}
    for of_column in shares:
        for category, share in (of_column or {}).items():
            highest[category] = max(share, highest.get(category, 0.0))
    for category in sorted(filter(highest.get, highest), key=lambda name: -highest[name]):
        values = [None if of is None else of.get(category, 0.0) for of in shares]
        yield ShareRow(topic.title, category, values)
