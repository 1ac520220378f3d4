"""Does a fitted row of the head claim what lies between the labels, and leave these alone?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def test_kinds_that_no_row_shows_come_nearer_to_the_label() -> None:
    from training.judge.catch_all import fit_row

    dice = np.random.default_rng(1)
    centres = 4.5 * np.eye(30)[:21]  # 20 labels, and one kind of `other` that is taught
    labels = dice.integers(0, 20, 2000)
    states = centres[labels] + dice.normal(0, 1, (2000, 30))
    taught = centres[20] + dice.normal(0, 1, (40, 30))
    weight, bias = 0.5 * centres, np.zeros(21)  # `other` is what the taught kind shows
    rows = np.concatenate([states, taught])
    places = np.concatenate([labels, np.full(40, 20)])
    fitted, level = fit_row(rows, places, weight, bias, 20)

    def found_at_one_percent(row: Floats, level: float, texts: Floats) -> float:
        def margin(rows: Floats) -> Floats:
            ahead: Floats = rows @ row + level - (rows @ weight[:20].T).max(1)
            return ahead

        return float((margin(texts) > np.quantile(margin(states), 0.99)).mean())

    unseen = 4.5 * np.eye(30)[21:][dice.integers(0, 9, 500)] + dice.normal(0, 1, (500, 30))
    assert found_at_one_percent(weight[20], 0.0, unseen) < 0.4
    assert found_at_one_percent(fitted, level, unseen) > 0.6
    assert found_at_one_percent(fitted, level, taught) == 1
