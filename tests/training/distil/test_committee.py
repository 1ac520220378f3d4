"""Is the committee weighed as the validation labels ask, and never worse than its best member?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from tests.training.conftest import heads_of
from training.distil.committee import combine, fit_weights

ROWS, LABELS = 600, 4
SINGLE, MULTI = heads_of(("single", LABELS)), heads_of(("multi", LABELS))


def noisy(truth: NDArray[np.float32], noise: float, seed: int) -> NDArray[np.float64]:
    dice = np.random.default_rng(seed)
    return truth * 2.0 + dice.normal(0, noise, truth.shape)


def one_hot(seed: int) -> NDArray[np.float32]:
    return np.eye(LABELS, dtype=np.float32)[np.random.default_rng(seed).integers(0, LABELS, ROWS)]


def cross_entropy(truth: NDArray[np.float32], logits: NDArray[np.floating]) -> float:
    return float(-(truth * log_softmax(logits, axis=1)).sum(1).mean())


def test_two_that_err_apart_are_better_together() -> None:
    truth = one_hot(1)
    members = [noisy(truth, 1.5, 2), noisy(truth, 1.5, 3)]
    weights = fit_weights(SINGLE, members, truth)
    together = combine(weights, SINGLE, members)
    assert together.dtype == np.float32
    right = (together.argmax(1) == truth.argmax(1)).mean()
    assert right > max((m.argmax(1) == truth.argmax(1)).mean() for m in members) + 0.03
    assert cross_entropy(truth, together) < min(cross_entropy(truth, m) for m in members)


def test_a_member_that_knows_nothing_gets_no_weight() -> None:
    truth = one_hot(4)
    members = [noisy(truth, 1.0, 5), np.random.default_rng(6).normal(0, 1, truth.shape)]
    (weights,) = fit_weights(SINGLE, members, truth)
    assert weights[1] < 0.1 * weights[0]


def test_multi_label_tasks_have_a_bias_and_unlabelled_rows_are_left_out() -> None:
    truth = (np.random.default_rng(7).random((ROWS, LABELS)) < 0.2).astype(np.float32)
    members = [noisy(truth, 1.0, 8), noisy(truth, 1.0, 9)]
    (expected,) = fit_weights(MULTI, members, truth)
    assert expected[-1] < 0  # most labels do not hold
    blank = np.full((50, LABELS), np.nan, np.float32)
    members = [np.concatenate([m, np.full((50, LABELS), 99.0)]) for m in members]
    (weights,) = fit_weights(MULTI, members, np.concatenate([truth, blank]))
    assert weights.tolist() == expected.tolist()


def test_the_fewer_rows_the_nearer_are_the_weights_to_what_is_expected() -> None:
    truth = one_hot(1)
    members = [noisy(truth, 1.0, 5), np.random.default_rng(6).normal(0, 1, truth.shape)]
    weights = [
        fit_weights(SINGLE, [member[:rows] for member in members], truth[:rows])[0]
        for rows in (0, 10, 600)
    ]
    assert weights[0].tolist() == [1.0, 1.0, 0.0]
    (halves,) = fit_weights(SINGLE, [member[:0] for member in members], truth[:0], 0.5)
    assert halves.tolist() == [0.5, 0.5, 0.0]
    assert weights[0][1] > weights[1][1] > weights[2][1]
