"""What would a linear model have said? The figure that a network has to beat, on the same rows."""

from __future__ import annotations

from typing import Any

from training.judge.linear import LinearModel
from training.judge.metrics import slice_metrics, table_metrics
from training.rows.table import Table


def baseline_metrics(table: Table, model: LinearModel) -> dict[str, Any]:
    """{"tasks": {task: metrics}, "slices": {...}} of the linear model on the test split."""
    test = table.split("test")
    names = [task.name for task in table.tasks]
    answers = model.answers([row.text for row in test])
    said = [dict(zip(names, answer, strict=True)) for answer in answers]
    return {"tasks": table_metrics(table, test, said), "slices": slice_metrics(table, test, said)}
