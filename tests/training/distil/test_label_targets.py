"""Soft targets that agree with the labels, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from model.bundle import Task
from model.heads import Heads
from training.distil.label_targets import corrected, decision_lines, margins

TASKS = (
    Task("kind", "single", ("a", "b", "c"), 10),
    Task("tags", "multi", ("x", "y"), 11, temperature=2.0, thresholds=(0.5, 0.25)),
)
HEADS = Heads(TASKS)
NAN = np.nan
LOGITS = np.array([[3, 1, 0, 1, -3], [3, 1, 0, -1, 0], [0, 5, 4.5, 9, 9]], np.float32)
TRUTH = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 1, 0, NAN, NAN]], np.float32)
LINE = 2 * np.log(0.25 / 0.75)  # of `y`: about -2.2


def test_a_label_is_an_answer_from_its_line_on() -> None:
    lines = decision_lines(TASKS)
    assert lines == pytest.approx([0, 0, 0, 0, LINE])
    scores = 1 / (1 + np.exp(-lines[3:] / 2))
    assert scores == pytest.approx([0.5, 0.25])


def test_margins_say_how_far_the_labels_are_ahead() -> None:
    ahead = margins(HEADS, LOGITS, TRUTH, decision_lines(TASKS))
    expected = [[2, min(1, LINE + 3)], [-2, min(-1, LINE)], [0.5, np.inf]]
    assert ahead == pytest.approx(np.array(expected), abs=1e-5)


def test_labelled_answers_are_raised_until_they_win_and_nothing_else_moves() -> None:
    lines = decision_lines(TASKS)
    targets = corrected(HEADS, LOGITS, TRUTH, lines, margin=1.0)
    expected = np.array(
        [[3, 1, 0, 1, LINE - 1], [3, 4, 0, 1, LINE - 1], [0, 5.5, 4.5, 9, 9]], np.float32
    )
    assert targets == pytest.approx(expected, abs=1e-5)
    assert margins(HEADS, targets, TRUTH, lines).min() >= 1 - 1e-5
    assert LOGITS[1, 1] == 1, "the logits stay as they were"


def test_the_only_label_of_a_task_needs_no_margin() -> None:
    heads = Heads((Task("one", "single", ("a",), 10),))
    logits, truth = np.zeros((2, 1), np.float32), np.array([[1], [NAN]], np.float32)
    lines = np.zeros(1, np.float32)
    assert (corrected(heads, logits, truth, lines, 4.0) == 0).all()
    assert (margins(heads, logits, truth, lines) == np.inf).all()
