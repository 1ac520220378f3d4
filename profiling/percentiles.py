"""Which value does a share of the values stay below? Linear between neighbours, as numpy."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ascending: Sequence[float], share: float) -> float:
    """The percentile of values that ascend, `share` from 0 to 1: `numpy.quantile`'s default."""
    if not ascending:
        raise ValueError("there is no percentile of no values")
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (place - below)
