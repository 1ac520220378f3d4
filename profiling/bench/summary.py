"""What do these numbers say: how many, the middle, the spread, and is it enough?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

FEW = 5
WIDE = 0.25
"""A quartile distance of more than this share of the median makes a number weak."""


def summarize(values: Sequence[float]) -> dict[str, float | int]:
    """n, median, p95 and quartiles; the names are the keys of the JSON."""
    low, _, high = quartiles(values)
    return {
        "n": len(values),
        "median": statistics.median(values),
        "p95": percentile(values, 95),
        "q1": low,
        "q3": high,
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """Linear between the two nearest ranks."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    return percentile(values, 25), percentile(values, 50), percentile(values, 75)


def weakness(summary: dict[str, float | int]) -> str | None:
    """Why a number should not be quoted; None when it may."""
    if summary["n"] < FEW:
        return f"only {summary['n']} runs"
    if summary["q3"] - summary["q1"] > WIDE * summary["median"]:
        return "widely spread"
    return None
