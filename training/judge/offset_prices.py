"""What did raising rare labels bring, and what did it cost? Measured on the test split.

Before, the likeliest label was the answer of the same network in fp32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tables.text import markdown
from training.judge.judged import JudgedTask
from training.judge.metrics import Marks

RAISED = "raised"
"""The key of a bundle's metrics that holds the prices; absent: no label is raised."""

Offsets = dict[str, dict[str, dict[str, Any]]]
"""{task: {label: fields of Offset}}, as the stage `export` keeps them of each network."""
Prices = list[dict[str, Any]]
"""[{"task", "label", "rows", "recall_before", "recall", "rest_rows", "rest_before", "rest",
"problem"}]: percent of the label's rows that are found, and of all other rows that are right."""


def offset_prices(
    before: Sequence[JudgedTask], after: Sequence[JudgedTask], offsets: Offsets
) -> Prices:
    """What each label with an offset gained and cost, from answers to the same rows."""
    as_trained = {task.name: task for task in before}
    prices: Prices = []
    for task in after:
        for label, offset in offsets.get(task.name, {}).items():
            of_label = task.truth[:, task.labels.index(label)]
            old, new = _right(as_trained[task.name]), _right(task)
            prices.append(
                {
                    "task": task.name,
                    "label": label,
                    "rows": int(of_label.sum()),
                    "recall_before": _percent(old[of_label]),
                    "recall": _percent(new[of_label]),
                    "rest_rows": int((~of_label).sum()),
                    "rest_before": _percent(old[~of_label]),
                    "rest": _percent(new[~of_label]),
                    "problem": offset["problem"],
                }
            )
    return prices


def _right(task: JudgedTask) -> Marks:
    """[rows]: whether the answer is the label."""
    right: Marks = (task.answers & task.truth).max(axis=1)
    return right


def _percent(right: Marks) -> float | None:
    return round(100 * float(right.mean()), 2) if len(right) else None


def price_paragraphs(prices: Prices) -> list[str]:
    """Markdown for the card and the report; none where no label is raised."""
    if not prices:
        return []
    shown = [[value for key, value in row.items() if key != "problem"] for row in prices]
    cells = [["-" if value is None else str(value) for value in row] for row in shown]
    titles = ["task", "label", "rows", "found before", "found"]
    titles += ["other rows", "right before", "right"]
    return [
        "Labels that are raised, so that they are found: percent of the test rows, before (by the "
        "likeliest label) and as shipped, and what that costs in right answers to other rows.",
        markdown(titles, cells),
    ]


def offset_warnings(prices: Prices) -> list[str]:
    """A sentence for each label whose validation rows do not allow what was asked for."""
    return [
        f"{row['task']}: finding `{row['label']}`: {row['problem']}"
        for row in prices
        if row["problem"]
    ]
