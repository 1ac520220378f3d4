"""How is it told what was checked of a refitted bundle? In the card, and in the run's report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tables.text import markdown

REFIT = "refit"
"""The key of a bundle's metrics that holds these facts; absent: it was not refitted."""

ENOUGH = {"single": 99.5, "multi": 98.0}
"""Percent of its own rows that a refitted student has to answer as they are labelled."""
SAME = ("same_as_held_out", "same_as_fp32")

Facts = dict[str, Any]
"""What the stage `verify` writes: {"own_rows": {task: {"rows", "wrong", "percent",
"contradicted", "enough"}}, "never_fitted": [slices], "texts": {"unlabelled": bool, "count": n},
"same_as_held_out": {task: percent}, "same_as_fp32": {task: percent}}."""


def shortfalls(facts: Facts) -> Iterator[str]:
    """Sentences on tasks whose own rows are not answered well enough."""
    for task, own in facts["own_rows"].items():
        if own["percent"] is not None and own["percent"] < own["enough"]:
            yield (
                f"{task}: {own['percent']} % of its own rows are answered as they are labelled, "
                f"where {own['enough']} % should be; {own['wrong']} of {own['rows']} are not"
            )


def refit_lines(facts: Facts) -> list[str]:
    """For the terminal and the report."""
    return [
        "figures are of the held-out fit; what ships was fitted on to all labelled rows"
        + _except(facts),
        "own rows answered as they are labelled: "
        + ", ".join(
            f"{task} {own['percent']} % of {own['rows']}" for task, own in facts["own_rows"].items()
        ),
        f"same labels on {_texts(facts)}: as the held-out fit "
        f"{_percents(facts['same_as_held_out'])}; as its own fp32 "
        f"{_percents(facts['same_as_fp32'])}",
    ]


def refit_paragraphs(facts: Facts) -> list[str]:
    """Markdown for the model card."""
    rows = [
        [task, own["percent"], own["rows"], *(facts[key][task] for key in SAME)]
        for task, own in facts["own_rows"].items()
    ]
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    return [
        "## What was checked of the refit",
        "The figures under Metrics, the temperatures and the thresholds are of a fit that held "
        "validation and test rows out. With its settings the network here was then fitted on to "
        f"all labelled rows{_except(facts)}, which leaves none to judge it by. Percent of those "
        "rows that it answers as they are labelled (a text that stands there with two labels is "
        f"not counted), and of {_texts(facts)} that get the same labels as from the held-out fit, "
        "and as from its own weights in fp32:",
        markdown(["", "own rows", "of", "as held out", "as fp32"], cells),
    ]


def _except(facts: Facts) -> str:
    slices = ", ".join(f"`{name}`" for name in facts["never_fitted"])
    return f" but those of {slices}" if slices else ""


def _texts(facts: Facts) -> str:
    kind = "unlabelled texts" if facts["texts"]["unlabelled"] else "test rows"
    return f"{facts['texts']['count']:,} {kind}"


def _percents(figures: dict[str, float]) -> str:
    return ", ".join(f"{task} {percent} %" for task, percent in figures.items())
