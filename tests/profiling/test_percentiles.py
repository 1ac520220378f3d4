"""Our percentile is numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.percentiles import percentile

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


@given(VALUES, st.floats(0, 1))
def test_a_percentile(values: list[float], share: float) -> None:
    expected = float(np.quantile(values, share))
    assert percentile(sorted(values), share) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no percentile of no values"):
        percentile([], 0.5)
