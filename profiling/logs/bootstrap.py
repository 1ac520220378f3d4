"""How far may a change of a percentile be off? Its interval, from drawing the same data anew.

Requests of one instance share its machine, and those of one minute its mood, so they are not so
many independent facts. What is drawn is therefore parts: whole instances when there are enough,
else stretches of consecutive requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DRAWS = 400
SEED = 7


@dataclass(frozen=True)
class Sample:
    """Values of one side, ascending, and the part that each was drawn with."""

    values: NDArray[np.float64]
    parts: NDArray[np.int64]
    count: int

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.values, share))


def draw_sample(by_instance: Iterable[Sequence[float]], whole: bool) -> Sample:
    """Values, each instance's in the order of time, in parts: whole instances, or stretches."""
    values: list[float] = []
    parts: list[int] = []
    count = 0
    for own in by_instance:
        stretch = len(own) if whole else math.ceil(math.sqrt(len(own)))
        for start in range(0, len(own), stretch):
            part = own[start : start + stretch]
            values += part
            parts += [count] * len(part)
            count += 1
    order = np.argsort(values, kind="stable")
    return Sample(np.asarray(values, np.float64)[order], np.asarray(parts, np.int64)[order], count)


def change_interval(
    a: Sample, b: Sample, share: float, error_rate: float
) -> tuple[float, float, float]:
    """The change of a percentile from A to B as a share of A, and its lower and upper bound."""
    random = np.random.default_rng(SEED)
    variance = 0.0
    for side in (a, b):
        drawn = np.log(np.maximum(resampled_quantiles(side, share, DRAWS, random), 1e-9))
        # Drawing n parts of n makes too little of their spread by (n - 1) / n.
        variance += float(np.var(drawn, ddof=1)) * side.count / (side.count - 1)
    reach = t_quantile(1 - error_rate / 2, min(a.count, b.count) - 1) * math.sqrt(variance)
    middle = math.log(b.quantile(share) / a.quantile(share))
    return math.expm1(middle), math.expm1(middle - reach), math.expm1(middle + reach)


def resampled_quantiles(
    sample: Sample, share: float, draws: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """The percentile in samples made of as many parts, drawn with replacement.

    As numpy.quantile of the values, each repeated as often as its part was drawn.
    """
    found = np.empty(draws)
    for draw in range(draws):
        picked = random.integers(0, sample.count, sample.count)
        times = np.bincount(picked, minlength=sample.count)[sample.parts]
        upto = np.cumsum(times)
        place = share * (upto[-1] - 1)
        below, above = np.searchsorted(upto, [math.floor(place), math.ceil(place)], side="right")
        low, high = sample.values[below], sample.values[above]
        found[draw] = low + (high - low) * (place - math.floor(place))
    return found


def t_quantile(probability: float, degrees: float) -> float:
    """Student's t by Cornish and Fisher's expansion: within 1 % of the truth from 4 degrees on."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, 1))
