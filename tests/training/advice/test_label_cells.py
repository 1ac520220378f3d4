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
    targets = (frozenset(["a"]), frozenset(["x", "y"]), frozenset(["blue"]))
    cells = label_cells(TASKS, targets)
    assert cells == {"k": "a", "t": "x; y", "red": "0", "blue": "1"}
    assert [*cells] == label_columns(TASKS)


def test_none_applies_is_not_unlabelled() -> None:
    assert label_cells(TASKS[1:2], (frozenset(),)) == {"t": "[]"}
    assert label_cells(TASKS, (None, None, None)) == dict.fromkeys(label_columns(TASKS))
