"""Is a difference more than the seeds' noise? Means over seeds with a 95 % t-interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.stats import t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Points from `before` to `after`, paired by seed: positive is in favour of `after`."""

    before: float
    after: float
    points: float
    low: float | None
    """Bounds of the interval; None with one seed, which has no noise to see."""
    high: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """The mean difference of figures in the order of their seeds."""
    steps = [new - old for old, new in zip(before, after, strict=True)]
    mean, low, high = fmean(steps), None, None
    if len(steps) > 1:
        half = float(t.ppf((1 + CONFIDENCE) / 2, len(steps) - 1)) * stdev(steps) / len(steps) ** 0.5
        low, high = mean - half, mean + half
    return Difference(fmean(before), fmean(after), mean, low, high)
