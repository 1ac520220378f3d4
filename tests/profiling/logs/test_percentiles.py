"""Our percentile is numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.logs.summary import quantiles
from profiling.percentiles import percentile

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


@given(VALUES, st.floats(0, 1))
def test_a_percentile(values: list[float], share: float) -> None:
    expected = float(np.quantile(values, share))
    assert percentile(sorted(values), share) == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(VALUES)
def test_what_a_table_shows(values: list[float]) -> None:
    found = quantiles(values)
    assert found is not None
    expected = [*np.quantile(values, [0.50, 0.95, 0.99]), max(values)]
    assert [found.p50, found.p95, found.p99, found.max] == pytest.approx(expected, abs=1e-9)
    assert found.n == len(values)


def test_no_values_have_no_percentile() -> None:
    assert quantiles([]) is None
    with pytest.raises(ValueError, match="no percentile of no values"):
        percentile([], 0.5)
