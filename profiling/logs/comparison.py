"""Is B slower than A, or is it noise? Two sets of requests, compared with intervals.

Intervals come from `bootstrap`; they are widened for the number of rows compared, so that a page
of thirty rows cries wolf no more often than one row would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from profiling.logs.bootstrap import Sample, change_interval, draw_sample
from profiling.logs.entry import Record

ERROR_RATE = 0.05
"""Chance that any row at all is called different when nothing differs."""
MATTERS = 0.02
"""A smaller change is the same to anyone."""
INSTANCES = 5
"""From so many on each side, instances are drawn."""
PARTS = 5
"""Fewer independent parts than these say nothing."""
BEYOND = 10
"""A percentile needs so many values above it."""
ALIKE = 0.10
"""Texts and tokens per request may differ by this share before a comparison is doubted."""

Verdict = Literal[
    "slower", "faster", "more", "less", "slower?", "faster?", "more?", "less?",
    "same", "noise", "too few",
]  # fmt: skip
"""With a question mark where the instances are too few to tell a change from their machines."""
CHANGED = ("slower", "faster", "more", "less", "slower?", "faster?", "more?", "less?")
UNSURE: dict[Verdict, Verdict] = {
    "slower": "slower?",
    "faster": "faster?",
    "more": "more?",
    "less": "less?",
}


@dataclass(frozen=True)
class Side:
    """What is compared, and its name."""

    name: str
    records: list[Record]


@dataclass(frozen=True)
class Row:
    """One measure on both sides; `change` and its interval are shares of A."""

    measure: str
    unit: str
    a: float
    b: float
    n_a: int
    n_b: int
    change: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict = "too few"


@dataclass(frozen=True)
class Comparison:
    a: str
    b: str
    verdict: str
    notes: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Measure:
    name: str
    unit: str
    share: float
    value: Callable[[Record], float | None]
    """None: the record has no such value."""
    more: Verdict
    less: Verdict


def compare(a: Side, b: Side) -> Comparison:
    """Every measure that both sides have, and one sentence on the whole."""
    measures = [it for it in _measures(a, b) if _has(a, it) and _has(b, it)]
    whole = min(_instances(a), _instances(b)) >= INSTANCES
    rows = [_row(a, b, measure, whole, len(measures)) for measure in measures]
    return Comparison(a.name, b.name, _sentence(a, b, rows), _notes(a, b, whole), rows)


def _measures(a: Side, b: Side) -> list[Measure]:
    def warm(record: Record) -> float | None:
        return record.duration_ms if record.warm else None

    def cold(record: Record) -> float | None:
        return record.start_to_answer_ms if record.started else None

    def memory(record: Record) -> float | None:
        return record.rss_mb if record.answered else None

    def span(name: str) -> Callable[[Record], float | None]:
        def value(record: Record) -> float | None:
            own = [it.duration_ms for it in record.spans if it.name == name]
            return sum(own) if record.warm and own else None

        return value

    names = {it.name: None for side in (a, b) for r in side.records if r.warm for it in r.spans}
    names.pop("request", None)
    timed: tuple[Verdict, Verdict] = ("slower", "faster")
    return [
        *(
            Measure(f"request p{share:.0%}"[:-1], "ms", share, warm, *timed)
            for share in (0.50, 0.95, 0.99)
        ),
        *(Measure(f"{name} p50", "ms", 0.50, span(name), *timed) for name in names),
        Measure("cold start p50", "ms", 0.50, cold, *timed),
        Measure("memory p50", "MB", 0.50, memory, "more", "less"),
    ]


def _has(side: Side, measure: Measure) -> bool:
    return any(measure.value(record) is not None for record in side.records)


def _instances(side: Side) -> int:
    return len({record.instance for record in side.records})


def _sample(side: Side, measure: Measure, whole: bool) -> Sample:
    by_instance: dict[str, list[float]] = {}
    for record in side.records:
        found = measure.value(record)
        if found is not None:
            by_instance.setdefault(record.instance, []).append(found)
    return draw_sample(by_instance.values(), whole)


def _row(a: Side, b: Side, measure: Measure, whole: bool, rows: int) -> Row:
    samples = (_sample(a, measure, whole), _sample(b, measure, whole))
    at = [side.quantile(measure.share) for side in samples]
    sizes = [len(side.values) for side in samples]
    enough = all(
        side.count >= PARTS and len(side.values) * (1 - measure.share) >= BEYOND for side in samples
    )
    row = Row(measure.name, measure.unit, at[0], at[1], sizes[0], sizes[1])
    if not enough or min(at) <= 0:
        return row
    change, low, high = change_interval(*samples, measure.share, ERROR_RATE / rows)
    verdict = _verdict(change, low, high, measure)
    verdict = verdict if whole else UNSURE.get(verdict, verdict)
    return replace(row, change=change, low=low, high=high, verdict=verdict)


def _verdict(change: float, low: float, high: float, measure: Measure) -> Verdict:
    if low > -MATTERS and high < MATTERS:
        return "same"
    if low <= 0.0 <= high:
        return "noise"
    if abs(change) < MATTERS:
        return "same"
    return measure.more if change > 0 else measure.less


def _sentence(a: Side, b: Side, rows: Sequence[Row]) -> str:
    if not rows:
        return f"{a.name} and {b.name} have nothing in common to compare."
    told = [row for row in rows if row.verdict in CHANGED]
    if told:
        parts = [f"{row.measure} {row.verdict} ({spread(row)})" for row in told]
        sure = not any(row.verdict.endswith("?") for row in told)
        doubt = "" if sure else " (so few instances: it may be their machines)"
        return (
            f"{b.name} against {a.name}: {', '.join(parts)}{doubt}; "
            "the rest is not told from noise."
        )
    judged = [row for row in rows if row.change is not None]
    if not judged:
        return f"Too few requests to tell {a.name} and {b.name} apart."
    first = judged[0]
    assert first.low is not None
    assert first.high is not None
    missed = max(abs(first.low), abs(first.high))
    return (
        f"No difference between {a.name} and {b.name} that is told from noise; one of up to "
        f"{missed:.0%} in {first.measure} would have been missed."
    )


def spread(row: Row) -> str:
    """`+12 %, +8 to +16`: the change and its interval."""
    if row.change is None or row.low is None or row.high is None:
        return ""
    return f"{row.change:+.1%}, {row.low:+.1%} to {row.high:+.1%}"


def _notes(a: Side, b: Side, whole: bool) -> list[str]:
    notes = []
    if not whole:
        notes.append(
            f"{_instances(a)} and {_instances(b)} instances: with fewer than {INSTANCES} on a side "
            "no change is told from a difference of their machines, and gets a question mark"
        )
    for name in ("texts", "tokens"):
        means = [_mean(getattr(it, name) for it in side.records if it.warm) for side in (a, b)]
        if abs(means[0] - means[1]) > ALIKE * max(means):
            notes.append(
                f"the requests are not alike: {means[0]:.1f} {name} each against {means[1]:.1f}"
            )
    return notes


def _mean(values: Iterable[int]) -> float:
    return float(np.mean(list(values) or [0]))
