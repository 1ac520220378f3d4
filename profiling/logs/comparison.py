"""Is B slower than A, or is it noise? Two sets of requests, compared with intervals.

Requests of one instance share its machine, and those of one minute its mood: what `bootstrap`
draws is whole instances when there are enough, else stretches of consecutive requests. Intervals
are widened for the number of rows compared, so that a page of thirty rows raises no more false
alarms than one row would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profiling.bootstrap import ratio_interval, sample_of
from profiling.logs.selection import Requests

ERROR_RATE = 0.05
"""Chance that any row at all is called different when nothing differs."""
NEGLIGIBLE = 0.02
"""A smaller change is called the same."""
ENOUGH_INSTANCES = 5
"""From so many on each side, whole instances are drawn."""
FEWEST_PARTS = 5
"""Fewer independent parts give no verdict."""
FEWEST_BEYOND = 10
"""A percentile needs so many values above it."""
ALIKE = 0.10
"""Mean texts and tokens a request may differ by this share without a note."""
CHANGED = ("slower", "faster", "more", "less")

Floats = NDArray[np.float64]
ValuesOfSome = tuple[Requests, Floats]
"""Those of some requests that a measure is about, and its value for each."""


@dataclass(frozen=True)
class Side:
    """What is compared, and its name."""

    name: str
    requests: Requests


@dataclass(frozen=True)
class MeasureRow:
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
    verdict: str = "too few"
    """One of CHANGED, `same`, `noise` or `too few`.

    A change has a question mark where too few instances tell it from their machines.
    """

    @property
    def interval(self) -> str:
        """`+12.0%, +8.1% to +16.0%`: the change and its bounds; empty where they are unknown."""
        if self.change is None or self.low is None or self.high is None:
            return ""
        return f"{self.change:+.1%}, {self.low:+.1%} to {self.high:+.1%}"


@dataclass(frozen=True)
class Comparison:
    a: str
    b: str
    verdict: str
    notes: list[str]
    rows: list[MeasureRow]


@dataclass(frozen=True)
class Measure:
    name: str
    unit: str
    share: float
    """Which percentile is compared, 0 to 1."""
    values: Callable[[Requests], ValuesOfSome]
    more: str
    less: str


def compare(a: Side, b: Side) -> Comparison:
    """Every measure that both sides have, and one sentence on the whole."""
    whole = min(side.requests.instances for side in (a, b)) >= ENOUGH_INSTANCES
    measures = [
        measure
        for measure in _measures(a, b)
        if all(len(measure.values(side.requests)[0]) for side in (a, b))
    ]
    rows = [_row(measure, a, b, whole, ERROR_RATE / len(measures)) for measure in measures]
    return Comparison(a.name, b.name, _sentence(a, b, rows), _notes(a, b, whole), rows)


def _measures(a: Side, b: Side) -> Iterator[Measure]:
    def column(name: str, condition: str) -> Callable[[Requests], ValuesOfSome]:
        def values(requests: Requests) -> ValuesOfSome:
            requests = requests.where(requests[condition])
            return requests, requests[name]

        return values

    def span(name: str) -> Callable[[Requests], ValuesOfSome]:
        def values(requests: Requests) -> ValuesOfSome:
            warm = requests.where(requests["warm"])
            spans = warm.span(name)
            return warm.where(spans.places), spans.totals_ms

        return values

    for share in (0.50, 0.95, 0.99):
        yield Measure(
            f"request p{100 * share:.0f}", "ms", share,
            column("duration_ms", "warm"), "slower", "faster",
        )  # fmt: skip
    warm = [side.requests.where(side.requests["warm"]) for side in (a, b)]
    for name in dict.fromkeys(name for requests in warm for name in requests.span_names):
        if name != "request":
            yield Measure(f"{name} p50", "ms", 0.50, span(name), "slower", "faster")
    yield Measure(
        "cold start p50", "ms", 0.50,
        column("start_to_answer_ms", "paid_cold_start"), "slower", "faster",
    )  # fmt: skip
    yield Measure("memory p50", "MB", 0.50, column("rss_mb", "answered"), "more", "less")


def _parts(side: Side, measure: Measure, whole: bool) -> list[Floats]:
    """Values in the order of time, in parts: whole instances, or stretches of them."""
    requests, values = measure.values(side.requests)
    return [
        of_instance[start : start + length]
        for of_instance in requests.by_instance(values)
        for length in [len(of_instance) if whole else math.ceil(math.sqrt(len(of_instance)))]
        for start in range(0, len(of_instance), length)
    ]


def _row(measure: Measure, a: Side, b: Side, whole: bool, error_rate: float) -> MeasureRow:
    of_a, of_b = (sample_of(_parts(side, measure, whole)) for side in (a, b))
    at_a, at_b = (sample.quantile(measure.share) for sample in (of_a, of_b))
    row = MeasureRow(measure.name, measure.unit, at_a, at_b, len(of_a.values), len(of_b.values))
    enough = all(
        sample.parts >= FEWEST_PARTS and len(sample.values) * (1 - measure.share) >= FEWEST_BEYOND
        for sample in (of_a, of_b)
    )
    if not enough or min(at_a, at_b) <= 0:
        return row
    ratios = ratio_interval(of_a, of_b, measure.share, error_rate)
    change, low, high = (ratio - 1 for ratio in ratios)
    verdict = _verdict(change, low, high, measure)
    if verdict in CHANGED and not whole:
        verdict += "?"
    return replace(row, change=change, low=low, high=high, verdict=verdict)


def _verdict(change: float, low: float, high: float, measure: Measure) -> str:
    if low > -NEGLIGIBLE and high < NEGLIGIBLE:
        return "same"
    if low <= 0.0 <= high:
        return "noise"
    if abs(change) < NEGLIGIBLE:
        return "same"
    return measure.more if change > 0 else measure.less


def _sentence(a: Side, b: Side, rows: Sequence[MeasureRow]) -> str:
    if not rows:
        return f"{a.name} and {b.name} have nothing in common to compare."
    changed = [row for row in rows if row.verdict.removesuffix("?") in CHANGED]
    if changed:
        parts = ", ".join(f"{row.measure} {row.verdict} ({row.interval})" for row in changed)
        unsure = any(row.verdict.endswith("?") for row in changed)
        doubt = " (so few instances: it may be their machines)" if unsure else ""
        return f"{b.name} against {a.name}: {parts}{doubt}; the rest is not told from noise."
    missed = [
        f"{max(abs(row.low), abs(row.high)):.0%} in {row.measure}"
        for row in rows
        if row.low is not None and row.high is not None
    ]
    if not missed:
        return f"Too few requests to tell {a.name} and {b.name} apart."
    return (
        f"No difference between {a.name} and {b.name} that is told from noise; one of up to "
        f"{missed[0]} would have been missed."
    )


def _notes(a: Side, b: Side, whole: bool) -> list[str]:
    notes = []
    if not whole:
        instances = " and ".join(str(side.requests.instances) for side in (a, b))
        notes.append(
            f"{instances} instances: with fewer than {ENOUGH_INSTANCES} on a "
            "side no change is told from a difference of their machines, and gets a question mark"
        )
    for name in ("texts", "tokens"):
        columns = [side.requests[name][side.requests["warm"]] for side in (a, b)]
        means = [float(np.mean(column)) if column.size else 0.0 for column in columns]
        if abs(means[0] - means[1]) > ALIKE * max(means):
            notes.append(
                f"the requests are not alike: {means[0]:.1f} {name} each against {means[1]:.1f}"
            )
    return notes
