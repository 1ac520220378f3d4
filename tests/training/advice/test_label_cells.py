"""Labels are written as the recipe's columns hold them, and read back."""

from __future__ import annotations

from training.advice.label_cells import label_cells, label_columns
from training.task_spec import TaskSpec

TASKS = (
    TaskSpec("kind", "single", "k"),
    TaskSpec("topics", "multi", "t", separator="; "),
    TaskSpec("marks", "multi", "marks", columns=("red", "blue")),
)


def test_each_task_has_its_columns() -> None:
    kind, topics, marks = TASKS
    assert label_cells(kind, frozenset(["a"])) == {"k": "a"}
    assert label_cells(topics, frozenset(["x", "y"])) == {"t": "x; y"}
    assert label_cells(marks, frozenset(["blue"])) == {"red": "0", "blue": "1"}
    assert label_columns(TASKS) == ["k", "t", "red", "blue"]


def test_none_applies_is_not_unlabelled() -> None:
    assert label_cells(TASKS[1], frozenset()) == {"t": "[]"}
    cells = {column: cell for task in TASKS for column, cell in label_cells(task, None).items()}
    assert cells == dict.fromkeys(label_columns(TASKS))


def test_labels_that_would_be_read_as_others_are_left_out() -> None:
    assert label_cells(TASKS[1], frozenset(["x; y"])) == {"t": None}
    assert label_cells(TASKS[0], frozenset(["x; y"])) == {"k": "x; y"}
