"""What should someone know before using the bundle? Its model card, written from the run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from training.metrics import HEADLINE
from training.recipe import Recipe
from training.rows import Table

CONTENDERS = {
    "baseline": "TF-IDF + linear",
    "teacher": "teacher",
    "student": "student, fp32",
    "int8": "**student, int8**",
}


def model_card(recipe: Recipe, table: Table, metrics: dict[str, Any], size: int) -> str:
    counts = Counter(row.split for row in table.rows)
    layers = recipe.student.layers
    parts = [
        f"# {recipe.name}",
        f"One network of {layers} layers, {size / 1e6:.1f} MB in int8, that answers "
        f"{len(table.tasks)} question{'s' * (len(table.tasks) > 1)} about a short text. Distilled "
        f"from `{recipe.base}`, fine-tuned with one control token per task.",
        "## Tasks",
        "\n".join(
            f"- `{task.name}` ({task.kind}): " + ", ".join(f"`{label}`" for label in labels)
            if len(labels) <= 40
            else f"- `{task.name}` ({task.kind}): {len(labels)} labels, listed in bundle.json"
            for task, labels in zip(table.tasks, table.labels, strict=True)
        ),
        "## Data",
        f"{counts['train']} rows to train, {counts['validation']} to choose, {counts['test']} to "
        f"judge, {counts[None]} of unlabelled text.",
        recipe.card.data,
        "## Metrics",
        "On the test split, through the classifier that serves. Accuracy for single-label tasks, "
        "micro-F1 for multi-label tasks, macro-F1 in brackets; percent.",
        metrics_table(table, metrics),
        *_slices(table, metrics),
        "## Limits",
        recipe.card.limits,
        "## Licence",
        recipe.card.licence,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def metrics_table(table: Table, metrics: dict[str, Any]) -> str:
    """A Markdown table: a row per contender, a column per task."""
    rows = [
        [title, *(_cell(task.kind, metrics[name]["tasks"][task.name]) for task in table.tasks)]
        for name, title in CONTENDERS.items()
    ]
    return _markdown(["", *(task.name for task in table.tasks)], rows)


def _slices(table: Table, metrics: dict[str, Any]) -> list[str]:
    slices = metrics["int8"]["slices"]
    if not slices:
        return []
    rows = [
        [name, *(_cell(task.kind, found[task.name]) for task in table.tasks)]
        for name, found in slices.items()
    ]
    return [
        "The int8 student by slice:",
        _markdown(["slice", *(t.name for t in table.tasks)], rows),
    ]


def _cell(kind: str, found: dict[str, Any]) -> str:
    headline, macro = found[HEADLINE[kind]], found["macro_f1"]
    return "-" if headline is None else f"{headline:.1f} ({macro:.1f})"


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
