"""A head on vectors gives the labels that its rows have, however few."""

from __future__ import annotations

import numpy as np
import pytest

from training.fit.logistic import fit_logistic, label_text

CORNERS = np.eye(4, dtype=np.float32)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 1, 0, 1], [2, 2, 2, 2], [3, 1, 1, 3]])
def test_single_labels_are_answered_and_those_without_rows_never(labels: list[int]) -> None:
    truth = np.eye(4, dtype=bool)[labels]
    logits = fit_logistic("single", CORNERS, truth, 100.0).logits(CORNERS)
    assert logits.argmax(1).tolist() == labels
    present = sorted(set(labels))
    absent = [label for label in range(4) if label not in present]
    assert (logits[:, absent] < logits[:, present].min(1, keepdims=True)).all()


def test_sets_of_labels_are_answered() -> None:
    truth = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 1, 0], [0, 1, 1, 0]], dtype=bool)
    logits = fit_logistic("multi", CORNERS, truth, 1000.0).logits(CORNERS)
    assert ((logits > 0) == truth).all()


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("card_arrival", "card arrival"),
        ("Refund-not__showing up", "Refund not showing up"),
        ("?", "?"),
    ],
)
def test_what_a_label_says(label: str, text: str) -> None:
    assert label_text(label) == text
