"""Is a rare label found at the price that was set, and no other label touched?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.judge.offsets import (
    Limits,
    catch_all_labels,
    fit_offsets,
    is_catch_all,
    label_limits,
)
from training.recipe import TaskSpec

LABELS = ("card", "loan", "rate", "other")
Floats = NDArray[np.float64]


def logits_of(rows: int, share: float, seed: int) -> tuple[Floats, Floats]:
    """(logits, targets) of rows among which `share` is `other`, most often taken for the rest."""
    dice = np.random.default_rng(seed)
    right = dice.choice(4, rows, p=[*[(1 - share) / 3] * 3, share])
    targets = np.eye(4)[right]
    logits = dice.normal(0, 1, (rows, 4)) + np.array([4.5, 4.5, 4.5, 1.0]) * targets
    logits[:, 3] += 0.5
    return logits, targets


def recall_and_rest(logits: Floats, targets: Floats) -> tuple[float, float]:
    """Of `other`, and the accuracy of all other rows, in percent."""
    hit = np.take_along_axis(targets, logits.argmax(1)[:, None], 1)[:, 0] > 0
    of_label = targets[:, 3] > 0
    return 100 * hit[of_label].mean(), 100 * hit[~of_label].mean()


def shifted(logits: Floats, value: float) -> Floats:
    raised: Floats = logits + np.array([0, 0, 0, value])
    return raised


def test_the_price_is_kept_on_new_rows_and_buys_recall() -> None:
    new = logits_of(20_000, 0.2, 99)
    recall, rest = recall_and_rest(*new)
    costs, gains = [], []
    for seed in range(40):
        offset = fit_offsets(*logits_of(800, 0.016, seed), LABELS, {"other": Limits(1.0)})["other"]
        new_recall, new_rest = recall_and_rest(shifted(new[0], offset.value), new[1])
        costs.append(rest - new_rest)
        gains.append(new_recall - recall)
    assert 0.7 < np.mean(costs) <= 1.0
    assert np.mean(np.array(costs) > 1.5) < 0.15
    assert min(gains) > 8


def test_no_row_of_the_label_is_needed_to_keep_a_price() -> None:
    logits, targets = logits_of(800, 0.0, 1)
    offset = fit_offsets(logits, targets, LABELS, {"other": Limits(2.0)})["other"]
    assert offset.rows == 0
    assert offset.value > 0.5
    lost = (logits.argmax(1) == 3).sum(), (shifted(logits, offset.value).argmax(1) == 3).sum()
    assert lost[1] > lost[0]
    assert lost[1] - lost[0] <= 0.02 * 800 * 1.2  # some of them were wrong before


def test_of_few_rows_nothing_is_spent_and_that_is_told() -> None:
    offset = fit_offsets(*logits_of(90, 0.02, 1), LABELS, {"other": Limits(1.0)})["other"]
    assert offset.value == 0
    assert offset.problem.endswith(
        "too few to keep a price of 1 points; 99 would do"
    )  # the next row may be the one that is lost
    fitted = fit_offsets(*logits_of(140, 0.02, 1), LABELS, {"other": Limits(1.0)})["other"]
    assert fitted.value > 0
    assert not fitted.problem


def test_min_recall_is_reached_on_new_rows_whatever_it_costs() -> None:
    new = logits_of(20_000, 0.2, 99)
    limits = {"other": Limits(min_recall=0.8)}
    found = []
    for seed in range(40):
        offset = fit_offsets(*logits_of(800, 0.03, seed), LABELS, limits)["other"]
        found.append(recall_and_rest(shifted(new[0], offset.value), new[1])[0])
    assert 79 < np.mean(found) < 86


def test_min_recall_stops_where_it_is_reached_and_at_the_price() -> None:
    logits, targets = logits_of(800, 0.03, 1)

    def value(limits: Limits) -> float:
        return fit_offsets(logits, targets, LABELS, {"other": limits})["other"].value

    assert value(Limits(20.0, 0.5)) == value(Limits(None, 0.5)) < value(Limits(20.0))
    capped = fit_offsets(logits, targets, LABELS, {"other": Limits(0.5, 0.95)})["other"]
    assert capped.value == value(Limits(0.5))
    assert capped.problem == "a recall of 0.95 costs more than max_cost"
    assert value(Limits(min_recall=0.01)) == 0


def test_a_recall_that_the_rows_cannot_tell_is_said_to_be_that() -> None:
    logits, targets = logits_of(800, 0.0, 1)
    offset = fit_offsets(logits, targets, LABELS, {"other": Limits(min_recall=0.9)})["other"]
    assert offset.value == 0
    assert offset.problem == "0 validation rows are too few to tell a recall of 0.9; 9 would do"


def test_several_labels_are_raised_one_after_the_other() -> None:
    logits, targets = logits_of(800, 0.05, 1)
    both = fit_offsets(logits, targets, LABELS, {"rate": Limits(0.5), "other": Limits(0.5)})
    moved = logits + np.array([0, 0, both["rate"].value, both["other"].value])
    right = np.take_along_axis(targets, moved.argmax(1)[:, None], 1) > 0
    before = np.take_along_axis(targets, logits.argmax(1)[:, None], 1) > 0
    assert before.mean() - right.mean() <= 0.01


@pytest.mark.parametrize("label", ["other", "Out-of-scope", "none_of_the_above", "OOS"])
def test_labels_that_hold_the_rest_are_known_by_name(label: str) -> None:
    assert is_catch_all(label)
    assert not is_catch_all(f"my {label}")


ROWS = {"card": 400, "loan": 10, "rate": 400, "other": 15}


def test_only_rare_labels_of_such_names_are_raised_unasked() -> None:
    task = TaskSpec("intent", "single", "intent")
    assert catch_all_labels(task, LABELS, ROWS) == ["other"]
    assert catch_all_labels(task, LABELS, {**ROWS, "other": 300}) == []
    assert catch_all_labels(TaskSpec("intent", "multi", "intent"), LABELS, ROWS) == []
    assert label_limits(task, LABELS, ["other"]) == {"other": Limits(1.0)}
    assert label_limits(task, ("card", "none", "other"), ["none", "other"]) == {
        "none": Limits(0.5),
        "other": Limits(0.5),
    }


def test_the_recipe_goes_before_the_name() -> None:
    def limits(**keys: Any) -> dict[str, Limits]:
        task = TaskSpec("intent", "single", "intent", **keys)
        return label_limits(task, LABELS, catch_all_labels(task, LABELS, ROWS))

    assert limits(catch_all=()) == {}
    assert limits(catch_all=("loan",)) == {"loan": Limits(1.0)}
    assert limits(min_recall={"loan": 0.9}, max_cost={"other": 2.0}) == {
        "loan": Limits(None, 0.9),
        "other": Limits(2.0),
    }
    assert limits(min_recall={"other": 0.9}) == {"other": Limits(None, 0.9)}


def test_a_price_of_nothing_changes_nothing() -> None:
    offset = fit_offsets(*logits_of(800, 0.05, 1), LABELS, {"other": Limits(0.0)})["other"]
    assert (offset.value, offset.problem) == (0, "")


def test_a_price_counts_from_the_answers_before_a_row_was_fitted_anew() -> None:
    logits, targets = logits_of(800, 0.03, 1)
    fitted = fit_offsets(logits, targets, LABELS, {"other": Limits(1.0)})["other"]
    higher = shifted(logits, 3.0)  # a row that gives the label far too often
    again = fit_offsets(higher, targets, LABELS, {"other": Limits(1.0)}, before=logits)["other"]
    assert again.value + 3 == pytest.approx(fitted.value, abs=1e-3)
    assert again.value < 0
