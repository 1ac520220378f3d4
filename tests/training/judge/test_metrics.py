"""Metrics, temperatures and thresholds against scikit-learn and a float64 reference."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import accuracy_score, f1_score

from model.bundle import Task
from training.judge.calibrate import calibrate
from training.judge.drops import drop_interval
from training.judge.metrics import Marks, headline, label_counts, task_metrics
from training.judge.thresholds import choose, fit_thresholds

LABELS = ("a", "b", "c")
one = st.sampled_from(LABELS).map(lambda label: frozenset([label]))
some = st.frozensets(st.sampled_from(LABELS))


def marks(rows: Sequence[frozenset[str]]) -> Marks:
    return np.array([[label in row for label in LABELS] for row in rows], np.bool_)


@given(st.lists(st.tuples(one, one), min_size=1, max_size=30))
def test_single_label_metrics_are_scikit_learns(pairs: list[tuple[frozenset[str], ...]]) -> None:
    truth, answers = ([next(iter(labels)) for labels in side] for side in zip(*pairs, strict=True))
    metrics = task_metrics("single", *(marks(side) for side in zip(*pairs, strict=True)))
    assert metrics["accuracy"] == pytest.approx(100 * accuracy_score(truth, answers), abs=0.006)
    if len(set(truth)) == 1:
        assert metrics["macro_f1"] is None
        return
    macro = f1_score(truth, answers, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert metrics["macro_f1"] == pytest.approx(100 * macro, abs=0.006)


@given(st.lists(st.tuples(some, some), min_size=1, max_size=30))
def test_multi_label_metrics_are_scikit_learns(pairs: list[tuple[frozenset[str], ...]]) -> None:
    truth, answers = (marks(side) for side in zip(*pairs, strict=True))
    metrics = task_metrics("multi", truth, answers)
    if not truth.any():
        assert metrics["micro_f1"] is None
        return
    micro = f1_score(truth, answers, average="micro", zero_division=0)
    assert metrics["micro_f1"] == pytest.approx(100 * micro, abs=0.006)


def test_macro_f1_of_one_true_class_is_unknown() -> None:
    """It ignores the wrong labels that were given: 9 of 10 right would be a macro-F1 of 94.7."""
    truth = marks([frozenset("a")] * 10)
    answers = marks([frozenset("a")] * 9 + [frozenset("b")])
    metrics = task_metrics("single", truth, answers)
    assert (metrics["accuracy"], metrics["macro_f1"]) == (90, None)
    only = task_metrics("single", np.ones((4, 1), np.bool_), np.ones((4, 1), np.bool_))
    assert only["macro_f1"] == 100, "of a task with one label there is no wrong one"


def test_a_drop_that_is_there_has_an_interval_above_zero() -> None:
    truth = [frozenset("a")] * 400
    worse = [frozenset("b") if place % 10 == 0 else frozenset("a") for place in range(400)]
    before, after = (label_counts(marks(truth), marks(answers)) for answers in (truth, worse))
    drop, low, high = drop_interval("single", before, after)
    assert drop == pytest.approx(10)
    assert 6 < low < 10 < high < 14
    assert drop_interval("single", before, before) == (0, 0, 0)


def test_the_headline_of_many_samples_is_that_of_each() -> None:
    truth, answers = [frozenset("ab"), frozenset("c")], [frozenset("a"), frozenset("cb")]
    counts = label_counts(marks(truth), marks(answers))
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


def test_the_likeliest_label_or_all_past_their_thresholds_are_chosen() -> None:
    scores = np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    assert choose(scores, None).tolist() == [[True, False, False], [False, False, True]]
    assert choose(scores, np.array([0.4, 0.5, 0.7])).tolist() == [
        [True, False, False],
        [False, False, True],
    ]
