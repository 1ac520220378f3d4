"""Percentiles are numpy's; a summary has its figures, and says whether they may be quoted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.percentiles import median_interval, percentile, summarize, weakness

VALUES = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=300)


@given(VALUES, st.floats(0, 100))
def test_a_percentile_is_linear_between_the_nearest_ranks(
    values: list[float], percent: float
) -> None:
    ordered = sorted(values)
    rank = (len(ordered) - 1) * percent / 100
    below, above = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    expected = below + (above - below) * (rank - math.floor(rank))
    assert percentile(values, percent) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no percentile of no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="no percentile of no values"):
        summarize([])


def test_a_summary_names_its_figures() -> None:
    assert summarize([5.0, 1.0, 3.0, 2.0, 4.0]) == {
        "n": 5,
        "median": 3.0,
        "p95": pytest.approx(4.8),
        "p99": pytest.approx(4.96),
        "q1": 2.0,
        "q3": 4.0,
    }


def test_weak_figures_say_why() -> None:
    assert weakness(summarize([10.0, 10.1])) == "only 2 runs"
    assert weakness(summarize([10.0, 5.0, 20.0, 30.0, 11.0])) == "widely spread"
    assert weakness(summarize([10.0, 10.1, 9.9, 10.2, 10.0])) is None


def test_the_interval_of_a_median_is_by_ranks() -> None:
    values = [float(value) for value in range(1, 21)]
    assert median_interval(values[::-1]) == {"median": 10.5, "low": 6.0, "high": 15.0}
    assert median_interval([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.0, "high": 3.0}
