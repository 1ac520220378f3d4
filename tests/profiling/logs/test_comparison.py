"""A comparison that tells a change from noise, or says that it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from profiling.logs.comparison import Comparison, Side, _measures, _parts, compare
from tests.profiling.logs.lines import line, requests_of

PARTS = ((5, "one"), (1, "one"), (4, "two"), (3, "one"), (2, "one"))


def side(
    name: str, seed: int, *, scale: float = 1.0, instances: int = 12, each: int = 40, unlike: float
) -> Side:
    """Requests whose latency varies by request and, by the share `unlike`, by instance."""
    random = np.random.default_rng(seed)
    lines = []
    for instance in range(instances):
        slow = scale * np.exp(unlike * random.standard_normal())
        for number in range(each):
            took_ms = float(3 * slow * np.exp(0.2 * random.standard_normal()))
            place = f"{name}-{instance}"
            lines.append(line(took_ms, at_s=number, revision=name, instance=place))
    return Side(name, requests_of(lines))


def verdicts(comparison: Comparison) -> dict[str, str]:
    return {row.measure: row.verdict for row in comparison.rows}


def test_parts_are_instances_or_stretches_of_them() -> None:
    both = Side("a", requests_of(line(float(ms), instance=name) for ms, name in PARTS))
    measure = next(_measures(both, both))
    parts = [[list(part) for part in _parts(both, measure, whole)] for whole in (True, False)]
    assert parts == [[[5, 1, 3, 2], [4]], [[5, 1], [3, 2], [4]]]


@pytest.mark.slow
def test_the_same_twice_is_rarely_called_different() -> None:
    """At an error rate of 5 % for the whole comparison, 60 of them give 3; 8 would be odd."""
    wrong = 0
    for seed in range(60):
        comparison = compare(side("a", 2 * seed, unlike=0.1), side("b", 2 * seed + 1, unlike=0.1))
        wrong += any(row.verdict in ("slower", "faster") for row in comparison.rows)
    assert wrong < 8


def test_a_change_larger_than_the_noise_is_found() -> None:
    comparison = compare(side("a", 1, unlike=0.05), side("b", 2, scale=1.3, unlike=0.05))
    assert verdicts(comparison)["request p50"] == "slower"
    row = comparison.rows[0]
    assert row.low is not None
    assert row.high is not None
    assert row.low < 0.3 < row.high
    assert comparison.verdict.startswith("b against a: request p50 slower (+")
    assert (
        verdicts(compare(side("b", 2, scale=1.3, unlike=0.05), side("a", 1, unlike=0.05)))[
            "request p50"
        ]
        == "faster"
    )


def test_noise_is_admitted_with_what_may_hide_in_it() -> None:
    comparison = compare(side("a", 1, unlike=0.3), side("b", 2, scale=1.05, unlike=0.3))
    assert verdicts(comparison)["request p50"] == "noise"
    assert comparison.verdict.startswith(
        "No difference between a and b that is told from noise; one of"
    )
    assert comparison.verdict.endswith("in request p50 would have been missed.")


def test_equal_within_what_matters_is_the_same() -> None:
    comparison = compare(
        side("a", 1, instances=40, each=200, unlike=0.0),
        side("b", 2, instances=40, each=200, unlike=0.0),
    )
    assert verdicts(comparison)["request p50"] == "same"


def test_few_requests_and_few_instances_are_said() -> None:
    few = compare(
        side("a", 1, instances=2, each=2, unlike=0), side("b", 2, instances=2, each=2, unlike=0)
    )
    assert set(verdicts(few).values()) == {"too few"}
    assert few.verdict == "Too few requests to tell a and b apart."
    assert few.notes[0].startswith("2 and 2 instances: with fewer than 5 on a side")
    tail = compare(side("a", 1, unlike=0.1), side("b", 2, unlike=0.1))
    assert verdicts(tail)["request p99"] == "too few"  # 480 values have not 10 above it


def test_with_few_instances_a_change_is_doubted() -> None:
    a = side("a", 1, instances=2, each=400, unlike=0.0)
    comparison = compare(a, side("b", 2, scale=2.0, instances=2, each=400, unlike=0.0))
    assert verdicts(comparison)["request p50"] == "slower?"
    assert "slower? (+" in comparison.verdict
    assert "(so few instances: it may be their machines)" in comparison.verdict


def test_unlike_requests_are_said() -> None:
    long = Side(
        "b", requests_of(line(3.0, tokens=50, instance=str(number)) for number in range(20))
    )
    short = Side("a", requests_of(line(3.0, instance=str(number)) for number in range(20)))
    assert compare(short, long).notes == [
        "the requests are not alike: 5.0 tokens each against 50.0"
    ]


def test_nothing_in_common() -> None:
    failed = Side("b", requests_of([line(3.0, status=500)]))
    comparison = compare(Side("a", requests_of([line(3.0)])), failed)
    assert comparison.verdict == "a and b have nothing in common to compare."
    assert comparison.rows == []
