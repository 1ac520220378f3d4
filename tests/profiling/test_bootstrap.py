"""Intervals of percentiles, against numpy and against the spread that fresh samples have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from profiling.bootstrap import Sample, ratio_interval, resampled_quantiles, sample_of


def test_a_sample_keeps_the_part_of_each_value() -> None:
    sample = sample_of([[5.0, 1.0, 3.0, 2.0], [4.0]])
    assert sample.values.tolist() == [1, 2, 3, 4, 5]
    assert sample.part_numbers.tolist() == [0, 0, 0, 1, 0]
    assert sample.parts == 2


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
def test_percentiles_of_drawn_parts_are_numpys(share: float) -> None:
    random = np.random.default_rng(1)
    sample = sample_of([random.random(size) for size in (3, 7, 1, 12, 5)])
    quantiles = resampled_quantiles(sample, share, 50, np.random.default_rng(2))
    again = np.random.default_rng(2)
    for value in quantiles:
        times = np.bincount(again.integers(0, 5, 5), minlength=5)
        drawn = np.repeat(sample.values, times[sample.part_numbers])
        assert value == pytest.approx(np.quantile(drawn, share), rel=1e-12)


def test_the_spread_drawn_is_the_spread_there_is() -> None:
    random = np.random.default_rng(3)

    def fresh() -> Sample:
        return sample_of(random.random((20, 30)))

    true = np.std([fresh().quantile(0.5) for _ in range(400)])
    drawn = [np.std(resampled_quantiles(fresh(), 0.5, 200, random)) for _ in range(20)]
    assert np.mean(drawn) == pytest.approx(true, rel=0.25)


def test_an_interval_is_as_wide_as_students_t_for_its_parts() -> None:
    random = np.random.default_rng(4)
    a, b = (sample_of(random.lognormal(1, 0.3, (6, 50))) for _ in range(2))
    widths = [
        np.log(high / low)
        for _, low, high in (ratio_interval(a, b, 0.5, rate) for rate in (0.05, 0.001))
    ]
    expected = stats.t.isf(0.0005, 5) / stats.t.isf(0.025, 5)
    assert widths[1] / widths[0] == pytest.approx(expected, rel=1e-9)


def test_the_true_ratio_is_nearly_always_inside() -> None:
    random = np.random.default_rng(5)
    missed = 0
    for _ in range(100):
        a, b = (sample_of(scale * random.lognormal(1, 0.3, (8, 25))) for scale in (1, 1.2))
        ratio, low, high = ratio_interval(a, b, 0.5)
        assert low < ratio < high
        missed += not low < 1.2 < high
    assert missed <= 11  # 5 are expected; more than 11 happens once in 200 seeds
