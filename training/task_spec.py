"""What does a recipe say of a task? Its labels, where they stand, what finding them is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tables.toml_file import Section

Kind = Literal["single", "multi"]
Name = Annotated[str, Field(min_length=1)]
Recall = Annotated[float, Field(gt=0, lt=1)]
Points = Annotated[float, Field(ge=0, le=100)]
PRICES = ("catch_all", "min_recall", "max_cost")
"""Keys of a single-label task that name labels to be found, and what that is worth."""


@dataclass(frozen=True)
class TaskSpec(Section):
    name: Name
    kind: Kind
    column: str
    """Absent: the task's name."""
    catch_all: tuple[str, ...] | None = None
    """Labels of whatever no other label holds; absent: those of a usual name that are rare."""
    min_recall: dict[str, Recall] | None = None
    """{label: share of its rows to find}."""
    max_cost: dict[str, Points] | None = None
    """{label: points of the other rows' accuracy that finding it may cost}."""
    separator: Name | None = None
    """Between the labels in a text cell of a multi-label task; absent: `|`."""
    columns: tuple[Name, ...] = ()
    """Columns of 0 and 1, each a label of a multi-label task."""

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that label its rows."""
        return self.columns or (self.column,)


def task_faults(task: TaskSpec) -> Iterator[str]:
    """Keys of a task that do not go together, or cannot be so, and why."""
    if "/" in task.name:
        yield "name: has a `/`, which a path of the server cannot name; use another sign"
    for key in PRICES if task.kind == "multi" else ():
        if getattr(task, key) is not None:
            yield (
                f"{key}: only a task of kind 'single' takes it; "
                "labels of 'multi' have thresholds, set where their F1 is best"
            )
    if task.kind == "single" and (task.separator or task.columns):
        key = "separator" if task.separator else "columns"
        yield f'{key}: a single-label task has one label in one column; give kind = "multi"'
    if task.columns and (task.separator or task.column != task.name):
        yield "columns: cells of 0 and 1 need neither `column` nor `separator`; remove them"
