"""Is the price of a raised label told: what is found, what is lost, and what was too little?"""

from __future__ import annotations

import numpy as np
import pytest

from training.judge.judged import JudgedTask
from training.judge.offset_prices import Offsets, offset_prices, offset_warnings, price_paragraphs


def judged(answers: str) -> JudgedTask:
    """Ten rows with the labels `aaaaaabboo`, answered so."""
    labels = ("a", "b", "o")
    truth, given = (
        np.array([list(labels)]) == np.array(list(text))[:, None]
        for text in ("aaaaaabboo", answers)
    )
    return JudgedTask("intent", "single", labels, [], truth, given)


def test_recall_and_accuracy_of_the_rest_before_and_after() -> None:
    before, after = judged("aaaaaabaab"), judged("aaaaaoboao")
    (price,) = offset_prices([before], [after], {"intent": {"o": {"problem": ""}}})
    assert price == {
        "task": "intent",
        "label": "o",
        "rows": 2,
        "recall_before": 0.0,
        "recall": 50.0,
        "rest_rows": 8,
        "rest_before": 87.5,
        "rest": 75.0,
        "problem": "",
    }
    _, table = price_paragraphs([price])
    assert table.splitlines()[-1] == "| intent | o | 2 | 0.0 | 50.0 | 8 | 87.5 | 75.0 |"
    assert offset_warnings([price]) == []


def test_what_validation_did_not_allow_is_a_warning() -> None:
    offsets = {"intent": {"o": {"problem": "13 validation rows are too few"}}}
    prices = offset_prices([judged("aaaaaabboo")], [judged("aaaaaabboo")], offsets)
    (warning,) = offset_warnings(prices)
    assert warning == "intent: finding `o`: 13 validation rows are too few"


@pytest.mark.parametrize("offsets", [{}, {"other task": {"o": {"problem": ""}}}])
def test_without_raised_labels_there_is_nothing_to_tell(offsets: Offsets) -> None:
    same = judged("aaaaaabboo")
    assert price_paragraphs(offset_prices([same], [same], offsets)) == []
