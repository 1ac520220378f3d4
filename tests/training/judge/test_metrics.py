"""Metrics, temperatures and thresholds against scikit-learn and a float64 reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import accuracy_score, f1_score

from model.bundle import Task
from training.judge.calibrate import calibrate, fit_thresholds
from training.judge.metrics import drop_interval, headline, label_counts, task_metrics

LABELS = ("a", "b", "c")
one = st.sampled_from(LABELS).map(lambda label: frozenset([label]))
some = st.frozensets(st.sampled_from(LABELS))


@given(st.lists(st.tuples(one, one), min_size=1, max_size=30))
def test_single_label_metrics_are_scikit_learns(pairs: list[tuple[frozenset[str], ...]]) -> None:
    truth, said = ([next(iter(labels)) for labels in side] for side in zip(*pairs, strict=True))
    found = task_metrics("single", LABELS, *(list(side) for side in zip(*pairs, strict=True)))
    assert found["accuracy"] == pytest.approx(100 * accuracy_score(truth, said), abs=0.006)
    macro = f1_score(truth, said, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert found["macro_f1"] == pytest.approx(100 * macro, abs=0.006)


@given(st.lists(st.tuples(some, some), min_size=1, max_size=30))
def test_multi_label_metrics_are_scikit_learns(pairs: list[tuple[frozenset[str], ...]]) -> None:
    truth, said = (list(side) for side in zip(*pairs, strict=True))
    found = task_metrics("multi", LABELS, truth, said)
    if not any(truth):
        assert found["micro_f1"] is None
        return
    hot = [np.array([[label in row for label in LABELS] for row in side]) for side in (truth, said)]
    micro = f1_score(*hot, average="micro", zero_division=0)
    assert found["micro_f1"] == pytest.approx(100 * micro, abs=0.006)


def test_a_drop_that_is_there_has_an_interval_above_zero() -> None:
    truth = [frozenset("a")] * 400
    worse = [frozenset("b") if place % 10 == 0 else frozenset("a") for place in range(400)]
    before, after = (label_counts(LABELS, truth, said) for said in (truth, worse))
    drop, low, high = drop_interval("single", before, after)
    assert drop == pytest.approx(10)
    assert 6 < low < 10 < high < 14
    assert drop_interval("single", before, before) == (0, 0, 0)


def test_the_headline_of_many_samples_is_that_of_each() -> None:
    truth, said = [frozenset("ab"), frozenset("c")], [frozenset("a"), frozenset("cb")]
    counts = label_counts(LABELS, truth, said)
    assert float(headline("multi", counts)) == pytest.approx(100 * 2 * 2 / (2 * 2 + 1 + 1))


def test_the_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(size=(4000, 3)) * 2
    drawn = [rng.choice(3, p=np.exp(row) / np.exp(row).sum()) for row in honest]
    (task,) = calibrate(
        (Task("t", "single", LABELS, 9),),
        (3 * honest).astype(np.float32),
        np.eye(3, dtype=np.float32)[drawn],
    )
    assert task.temperature == pytest.approx(3, rel=0.1)


def test_an_unlabelled_task_keeps_its_temperature() -> None:
    task = Task("t", "single", LABELS, 9)
    nothing = np.full((5, 3), np.nan, np.float32)
    assert calibrate((task,), np.zeros((5, 3), np.float32), nothing) == (task,)


def test_thresholds_stand_where_f1_is_best_and_rare_labels_share_one() -> None:
    rng = np.random.default_rng(1)
    targets = np.zeros((1000, 2))
    targets[:200, 0] = 1
    targets[:5, 1] = 1
    scores = expit(rng.normal(size=(1000, 2)) + 4 * targets - np.array([[3.0, 3.0]]))
    common, rare = fit_thresholds(scores, targets)
    grid = np.linspace(0.05, 0.95, 91)
    best = max(f1_score(targets[:, 0], scores[:, 0] >= cut) for cut in grid)
    assert f1_score(targets[:, 0], scores[:, 0] >= common) == pytest.approx(best)
    alone = fit_thresholds(scores[:, 1:], targets[:, 1:])[0]
    assert 0.05 <= rare <= 0.95
    assert alone >= 0.05
