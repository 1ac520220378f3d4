"""Are rows given the rare label up to the cost, and no further?"""

from __future__ import annotations

import numpy as np


def test_a_threshold_finds_what_a_cost_pays_for() -> None:
    from training.studies.rare_label import Answers

    dice = np.random.default_rng(1)
    right = dice.integers(0, 4, 2000)
    logits = dice.normal(0, 1, (2000, 4)) + 3.0 * np.eye(4)[right]
    logits[:, 3] -= 2
    answers = Answers(logits, right, 3)
    before = answers.accuracy(answers.likeliest)
    assert before == 100 * float((logits.argmax(1) == right)[right != 3].mean())
    found = []
    for cost in (0.0, 0.5, 1.5):
        given = answers.at_cost(answers.margin, before, cost)
        assert cost - 0.1 <= before - answers.accuracy(given) <= cost + 1e-9
        found.append(given[right == 3].mean())
    assert found == sorted(found)
    assert found[2] > found[0] + 0.05
    assert answers.at_cost(answers.energy, before, 1.5)[right == 3].mean() < found[2]
