"""Numbers of a benchmark: the middle, the spread, and whether they may be quoted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.bench.summary import percentile, summarize, weakness


@given(
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=50),
    st.floats(0, 100),
)
def test_percentile_is_numpys(values: list[float], percent: float) -> None:
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), abs=1e-6)


def test_a_summary_names_its_numbers() -> None:
    found = summarize([5.0, 1.0, 3.0, 2.0, 4.0])
    assert found == {"n": 5, "median": 3.0, "p95": pytest.approx(4.8), "q1": 2.0, "q3": 4.0}


def test_weak_numbers_say_why() -> None:
    assert weakness(summarize([10.0, 10.1])) == "only 2 runs"
    assert weakness(summarize([10.0, 5.0, 20.0, 30.0, 11.0])) == "widely spread"
    assert weakness(summarize([10.0, 10.1, 9.9, 10.2, 10.0])) is None
