"""How far may a change of a percentile be off? Its interval, from drawing the same data anew.

Neighbouring measurements share their luck (a machine, a busy minute), so they are not so many
independent facts. What is drawn, with replacement, is therefore parts: whole instances, or
stretches of consecutive measurements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

RESAMPLES = 400
SEED = 7


@dataclass(frozen=True)
class Sample:
    """Values of one side, ascending, and the number of the part that each is drawn with."""

    values: NDArray[np.float64]
    part_numbers: NDArray[np.int64]
    parts: int

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.values, share))


def sample_of(parts: Iterable[Sequence[float] | NDArray[np.float64]]) -> Sample:
    """A sample of values that are drawn in these parts; none of them is empty."""
    arrays = [np.asarray(part, np.float64) for part in parts]
    values = np.concatenate(arrays)
    part_numbers = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
    order = np.argsort(values, kind="stable")
    return Sample(values[order], part_numbers[order], len(arrays))


def ratio_interval(
    a: Sample, b: Sample, share: float, error_rate: float = 0.05
) -> tuple[float, float, float]:
    """B / A of a percentile, and the bounds that the true ratio leaves at the error rate.

    The logarithms of both percentiles are drawn for their variance; as many parts as the smaller
    sample has set the degrees of freedom. Each sample needs two parts.
    """
    random = np.random.default_rng(SEED)
    variance = 0.0
    for sample in (a, b):
        drawn = np.log(np.maximum(resampled_quantiles(sample, share, RESAMPLES, random), 1e-9))
        # Drawing n parts of n makes too little of their spread by (n - 1) / n.
        variance += float(np.var(drawn, ddof=1)) * sample.parts / (sample.parts - 1)
    degrees = min(a.parts, b.parts) - 1
    factor = math.exp(float(stats.t.ppf(1 - error_rate / 2, degrees)) * math.sqrt(variance))
    ratio = b.quantile(share) / a.quantile(share)
    return ratio, ratio / factor, ratio * factor


def resampled_quantiles(
    sample: Sample, share: float, resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """The percentile in samples made of as many parts, drawn with replacement.

    As numpy.quantile of the values, each repeated as often as its part was drawn.
    """
    quantiles = np.empty(resamples)
    for resample in range(resamples):
        picked = random.integers(0, sample.parts, sample.parts)
        times = np.bincount(picked, minlength=sample.parts)
        drawn = np.repeat(sample.values, times[sample.part_numbers])  # ascending
        place = share * (len(drawn) - 1)
        below, above = drawn[math.floor(place)], drawn[math.ceil(place)]
        quantiles[resample] = below + (above - below) * (place - math.floor(place))
    return quantiles
