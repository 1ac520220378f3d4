"""Intervals against scipy's and against figures drawn again and again from a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from training.judge.drops import Drop, drop_interval
from training.judge.intervals import (
    about,
    interval_text,
    ratio_bounds,
    rows_to_claim,
    rows_to_tell_drop,
    wilson,
)
from training.judge.metrics import headline_terms, label_counts


@pytest.mark.parametrize(("right", "rows"), [(13, 13), (0, 13), (15, 20), (90, 100), (451, 500)])
def test_the_interval_of_a_share_is_scipys(right: int, rows: int) -> None:
    expected = binomtest(right, rows).proportion_ci(method="wilson")
    assert wilson(right / rows, rows) == pytest.approx(tuple(expected), abs=1e-4)
    terms = np.stack([np.arange(rows) < right, np.ones(rows)], axis=1).astype(float)
    bounds = ratio_bounds(terms, np.arange(rows))
    of_spread = max(0.3, 15 / rows)  # which is told by one row less
    assert bounds == pytest.approx([100 * bound for bound in expected], abs=of_spread)


def test_rows_of_a_family_that_share_their_fate_count_once() -> None:
    right = np.arange(30) < 24
    terms = np.stack([right, np.ones(30)], axis=1).astype(float)
    alone = ratio_bounds(terms, np.arange(30))
    families = ratio_bounds(np.repeat(terms, 20, axis=0), np.repeat(np.arange(30), 20))
    assert families == pytest.approx(alone, abs=0.01)
    rows = ratio_bounds(np.repeat(terms, 20, axis=0), np.arange(600))
    assert rows[1] - rows[0] < (alone[1] - alone[0]) / 3


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("families", [100, 400])
def test_intervals_hold_the_truth_nineteen_times_of_twenty(kind: str, families: int) -> None:
    """Of 200 tables, families of 1 to 5 rows of which half share their fate, 88 % right."""
    dice = np.random.default_rng(families)
    held = 0
    for _ in range(200):
        groups = np.repeat(np.arange(families), dice.integers(1, 6, families))
        own, shared = (dice.random(len(groups)) < 0.88), (dice.random(families) < 0.88)[groups]
        right = np.where(dice.random(families)[groups] < 0.5, shared, own)
        truth = np.eye(4, dtype=bool)[dice.integers(0, 4, len(groups))]
        counts = label_counts(truth, np.where(right[:, None], truth, np.roll(truth, 1, axis=1)))
        low, high = ratio_bounds(headline_terms(kind, counts), groups)
        held += low <= 88 <= high
    assert held >= 180


@pytest.mark.parametrize("families", [2, 3, 6])
def test_few_families_are_as_uncertain_as_they_are(families: int) -> None:
    """Of 200 tables: families of 40 rows, of which 60 to 100 % are right, before and after."""
    dice = np.random.default_rng(families)
    groups = np.repeat(np.arange(families), 40)
    truth = np.eye(2, dtype=bool)[np.zeros(len(groups), int)]
    held = np.zeros(2)
    for _ in range(200):
        right = dice.random((2, len(groups))) < dice.uniform(0.6, 1, (2, families))[:, groups]
        counts = [label_counts(truth, np.where(each[:, None], truth, ~truth)) for each in right]
        low, high = ratio_bounds(headline_terms("single", counts[0]), groups)
        _, drop_low, drop_high = drop_interval("single", counts[0], counts[1], groups)
        held += low <= 80 <= high, drop_low <= 0 <= drop_high
    assert (held >= 180).all()


def test_a_single_family_is_one_row_and_tells_of_no_drop() -> None:
    terms = np.stack([np.arange(100) < 90, np.ones(100)], axis=1).astype(float)
    low, high = ratio_bounds(terms, np.zeros(100, np.intp))
    assert (low, high) == pytest.approx([100 * bound for bound in wilson(0.9, 1)], abs=0.01)
    truth = np.eye(2, dtype=bool)[np.zeros(100, int)]
    before, after = label_counts(truth, truth), label_counts(truth, ~truth)
    drop = Drop("t", 100, 100, 0, *drop_interval("single", before, after, np.zeros(100, np.intp)))
    assert drop.drop == 100
    assert drop.verdict(0.3) == "undecided"
    assert drop.doubt(0.3) == (
        "t: lost 100.00 points; its 100 rows are one group, too few to tell whether the loss is "
        "above 0.3: label rows of other groups"
    )


def test_a_drop_of_families_is_less_certain_than_one_of_rows() -> None:
    truth = np.eye(2, dtype=bool)[np.zeros(400, int)]
    lost = np.arange(400) < 20
    before = label_counts(truth, truth)
    after = label_counts(truth, np.where(lost[:, None], ~truth, truth))
    _, low, high = drop_interval("single", before, after)
    _, family_low, family_high = drop_interval("single", before, after, np.arange(400) // 20)
    assert low > 2
    assert family_low < 0.5
    assert family_high > high + 3


def test_three_of_a_hundred_are_undecided_and_three_hundred_of_ten_thousand_refused() -> None:
    for rows, verdict in ((100, "undecided"), (10_000, "refused")):
        drop = Drop("t", rows, 100, 97, 3, *lost_share(rows, 0.03))
        assert drop.verdict(0.3) == verdict
        assert drop.verdict(3.1) == "passes"
        assert not drop.is_proven(3.1)


@pytest.mark.parametrize(("rows", "share"), [(100, 0.03), (80, 0.0), (500, 0.004)])
def test_the_rows_that_would_tell_do_tell(rows: int, share: float) -> None:
    """With half as many again as `about` so many, of the same kind, the interval is on one side."""
    low, high = lost_share(rows, share)
    assert low <= 1 < high
    more = round(1.5 * rows_to_tell_drop(rows, (high - low) / 2, abs(1 - 100 * share)))
    low, high = lost_share(more, share)
    assert low > 1 or high <= 1


def lost_share(rows: int, share: float) -> tuple[float, float]:
    """The interval of a drop from 100 % by that share of the rows."""
    truth = np.eye(2, dtype=bool)[np.zeros(rows, int)]
    lost = np.arange(rows) < share * rows
    after = label_counts(truth, np.where(lost[:, None], ~truth, truth))
    return drop_interval("single", label_counts(truth, truth), after)[1:]


def test_numbers_of_rows_are_rounded_up_to_what_counts() -> None:
    assert [about(rows) for rows in (3.2, 99, 101, 1234.5, 56_700)] == [
        "4", "99", "110", "1,300", "57,000",
    ]  # fmt: skip
    assert rows_to_claim(100, (84, 96)) == pytest.approx(400)
    assert rows_to_claim(1000, (88, 92)) is None
    assert interval_text((90.06, 92.34)) == "[90.1, 92.3]"
    assert interval_text(None) == ""
