"""Do fitted numbers mean what they say: temperatures, thresholds, biases, calibration errors?"""

from __future__ import annotations

import numpy as np

from training.judge.calibrate import fit_biases
from training.judge.metrics import calibration_error


def test_a_label_that_vanished_comes_back() -> None:
    dice = np.random.default_rng(1)
    right = dice.choice(5, 3000, p=[0.24, 0.24, 0.24, 0.24, 0.04])
    truth = np.eye(5)[right]
    logits = 2.0 * truth + dice.normal(0, 1, (3000, 5))
    logits[:, 4] -= 2.5  # the rare label is hardly ever the likeliest
    recall = (logits.argmax(1) == right)[right == 4].mean()
    bias = fit_biases(logits, truth)
    mended = ((logits + bias).argmax(1) == right)[right == 4].mean()
    assert mended > recall + 0.2
    assert ((logits + bias).argmax(1) == right).mean() > (logits.argmax(1) == right).mean()
    assert abs(bias.sum()) < 1e-9


def test_without_evidence_biases_stay_small() -> None:
    dice = np.random.default_rng(2)
    truth = np.eye(3)[dice.integers(0, 3, 10)]
    assert np.abs(fit_biases(2.0 * truth + dice.normal(0, 1, (10, 3)), truth)).max() < 0.5


def test_calibration_error_is_the_gap_between_score_and_share() -> None:
    scores = np.array([0.9] * 100 + [0.6] * 100)
    right = np.array([True] * 90 + [False] * 10 + [True] * 30 + [False] * 70)
    assert abs(calibration_error(scores, right) - 15.0) < 1e-9
    assert calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0
