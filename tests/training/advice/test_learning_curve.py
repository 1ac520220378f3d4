"""A curve that still rises promises a gain, one that is flat does not."""

from __future__ import annotations

import numpy as np

from training.advice.learning_curve import learning_curve
from training.advice.quick_model import FOLDS

LABELS = 10


def curve_of(rows: int, noise: float):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(2)
    labels = random.integers(0, LABELS, rows + 500)
    vectors = np.eye(60)[labels] + noise * random.normal(size=(rows + 500, 60))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    truth = np.eye(LABELS, dtype=bool)[labels]
    folds = np.arange(rows) % FOLDS
    train, test = (vectors[:rows], truth[:rows]), (vectors[rows:], truth[rows:])
    return learning_curve("digit", "single", train, folds, test)


def test_a_rising_curve_promises_a_gain() -> None:
    curve = curve_of(80, 0.6)
    assert curve.rows == (20, 40, 80)
    assert curve.gain > 1
    assert curve.low <= curve.gain <= curve.high
    assert "twice as many would bring about +" in str(curve)


def test_a_flat_curve_promises_next_to_nothing() -> None:
    curve = curve_of(2000, 0.1)
    assert abs(curve.gain) < 0.5
