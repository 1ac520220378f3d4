"""Metrics, temperatures and thresholds against scikit-learn and a float64 reference."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, f1_score

from model.bundle import Task
from training.judge.calibrate import calibrate
from training.judge.drops import drop_interval
from training.judge.metrics import Marks, cross_entropy, headline, label_counts, task_metrics
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
    drop, low, high = drop_interval("single", before, before)
    assert drop == 0
    assert -low == pytest.approx(high)
    assert 0 < high < 1, "1 of 400 may be lost unseen"


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


def test_few_rows_never_make_scores_surer() -> None:
    """13 rows, all right: without a prior the temperature is driven to its bound, 0.14."""
    truth = np.eye(3, dtype=np.float32)[np.arange(13) % 3]
    (task,) = calibrate((Task("t", "single", LABELS, 9),), 3 * truth, truth)
    assert 1 <= task.temperature < 2
    rng = np.random.default_rng(1)
    for labels, kind in ((truth, "single"), ((rng.random((13, 3)) < 0.3).astype("f"), "multi")):
        (task,) = calibrate((Task("t", kind, LABELS, 9),), 8 * labels - 4, labels)
        assert 1 <= task.temperature < 2
    unsure = calibrate((Task("t", "single", LABELS, 9),), 20 * truth[::-1], truth)[0]
    assert unsure.temperature > 2, "rows that are surely wrong do make them less sure"


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_many_rows_have_the_temperature_of_least_cross_entropy(kind: str) -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(size=(3000, 3)) * 2
    if kind == "single":
        targets = np.eye(3)[[rng.choice(3, p=softmax(row)) for row in honest]]
    else:
        targets = (rng.random(honest.shape) < expit(honest)).astype(float)
    for factor in (0.5, 2.5):
        (task,) = calibrate(
            (Task("t", kind, LABELS, 9),), (factor * honest).astype("f"), targets.astype("f")
        )
        grid = np.linspace(0.2, 4, 400)
        losses = [cross_entropy(kind, factor * honest / step, targets) for step in grid]
        loss = cross_entropy(kind, factor * honest / task.temperature, targets)
        assert loss - min(losses) < 1e-4


def test_hundreds_of_right_answers_leave_a_doubt_of_one_in_as_many() -> None:
    truth = np.eye(3, dtype=np.float32)[np.arange(600) % 3]
    (task,) = calibrate((Task("t", "single", LABELS, 9),), 4 * truth, truth)
    score = softmax(4 * truth / task.temperature, axis=1).max()
    assert 1 - 1 / 100 < score <= 601 / 602


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


def test_thresholds_from_few_rows_stay_near_the_default() -> None:
    """Of 13 rows any threshold between the scores is best: the middle of the plateau is chance."""
    targets = np.zeros((13, 2))
    targets[:3] = 1
    low, high = np.where(targets > 0, 0.95, 0.8), np.where(targets > 0, 0.2, 0.1)
    for scores, best in ((low, 0.88), (high, 0.15)):
        thresholds = fit_thresholds(scores, targets)
        assert thresholds == pytest.approx([0.5 + 6 / 26 * (best - 0.5)] * 2, abs=0.01)
    many = np.tile(targets, (40, 1))
    assert fit_thresholds(np.tile(low, (40, 1)), many) == pytest.approx([0.88] * 2, abs=0.01)


def test_the_likeliest_label_or_all_past_their_thresholds_are_chosen() -> None:
    scores = np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    assert choose(scores, None).tolist() == [[True, False, False], [False, False, True]]
    assert choose(scores, np.array([0.4, 0.5, 0.7])).tolist() == [
        [True, False, False],
        [False, False, True],
    ]
