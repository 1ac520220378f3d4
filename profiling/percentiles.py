"""Which value does a share of the values stay below, and may the figure be quoted?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

MIN_VALUES = 5
MAX_SPREAD = 0.25
"""A quartile distance of more than this share of the median makes a figure weak."""


def percentile(values: ArrayLike, percent: float) -> float:
    """The percentile, `percent` from 0 to 100, linear between neighbours as in numpy.

    Raises ValueError without values.
    """
    array = np.asarray(values, np.float64)
    if not array.size:
        raise ValueError("there is no percentile of no values")
    return float(np.percentile(array, percent))


def summarize(values: Sequence[float]) -> dict[str, float]:
    """n, median, p95, p99 and quartiles, which are the keys of the JSON; raises ValueError."""
    percents = {"median": 50, "p95": 95, "p99": 99, "q1": 25, "q3": 75}
    return {"n": len(values), **{key: percentile(values, at) for key, at in percents.items()}}


def median_interval(values: Sequence[float]) -> dict[str, float]:
    """The median with `low` and `high`, between which that of many more values is at 95 %.

    By ranks (the sign test's interval), which supposes nothing of how the values are distributed;
    of fewer than six values, the least and the greatest. Raises ValueError without values.
    """
    from scipy import stats  # benchmarks have it, readers of logs need not

    ascending = sorted(values)
    rank = max(1, int(stats.binom.ppf(0.025, len(ascending), 0.5)))
    return {
        "median": percentile(ascending, 50),
        "low": ascending[rank - 1],
        "high": ascending[-rank],
    }


def weakness(summary: dict[str, float]) -> str | None:
    """Why a median should not be quoted; None when it may."""
    if summary["n"] < MIN_VALUES:
        return f"only {summary['n']} runs"
    if summary["q3"] - summary["q1"] > MAX_SPREAD * summary["median"]:
        return "widely spread"
    return None
