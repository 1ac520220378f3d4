"""How does a measured bundle become the result? Its files as they are, a card, all metrics."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from model.aside import read_json
from model.bundle import MODEL, TOKENIZER, Bundle, read_bundle
from tables.text import markdown
from training.judge.evaluate import METRICS
from training.judge.metrics import HEADLINE
from training.quantize.export import copied_bundle
from training.recipe import Recipe
from training.rows.table import Table
from training.run import Run

CONTENDERS = {
    "baseline": "TF-IDF + linear",
    "fasttext": "fastText",
    "teacher": "teacher",
    "teacher_int8": "teacher, int8",
    "student": "student, fp32",
    "int8": "student, int8",
}
"""Those that a bundle's metrics may hold, with their titles."""
DIGEST = "digest.txt"
"""The digest of the bundle that was written, in the stage's folder."""


def run(run: Run, folder: Path) -> None:
    """The stage `bundle`: write the int8 student to the run's target."""
    int8 = read_bundle(run.work / "quantize" / "int8")
    metrics = read_json(run.work / "evaluate" / METRICS)
    shipped = ship(run.recipe, run.table, int8, metrics, run.target)
    (folder / DIGEST).write_text(shipped.digest)


def ship(
    recipe: Recipe, table: Table, measured: Bundle, metrics: dict[str, Any], target: Path
) -> Bundle:
    """Write `measured` to `target`, under the recipe's name, with its metrics and model card."""
    size = sum((measured.path / name).stat().st_size for name in (MODEL, TOKENIZER))
    card = model_card(recipe, table, metrics, size)
    return copied_bundle(measured, target, name=recipe.name, card=card, metrics=metrics)


def model_card(recipe: Recipe, table: Table, metrics: dict[str, Any], size: int) -> str:
    counts = Counter(row.split for row in table.rows)
    layers, contender = recipe.student.layers, shipped(metrics)
    precision = "int8" if contender.endswith("int8") else "fp32"
    method = "Fine-tuned" if contender.startswith("teacher") else "Distilled"
    parts = [
        f"# {recipe.name}",
        f"One network of {layers} layers, {size / 1e6:.1f} MB in {precision}, that answers "
        f"{len(table.tasks)} question{'s' * (len(table.tasks) > 1)} about a short text. {method} "
        f"from `{recipe.base}`, with one control token per task.",
        "## Tasks",
        "\n".join(
            f"- `{task.name}` ({task.kind}): " + ", ".join(f"`{label}`" for label in task.labels)
            if len(task.labels) <= 40
            else f"- `{task.name}` ({task.kind}): {len(task.labels)} labels, listed in bundle.json"
            for task in table.tasks
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
        *(["## Performance", recipe.card.performance] if recipe.card.performance else []),
        "## Limits",
        recipe.card.limits,
        "## Licence",
        recipe.card.licence,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def shipped(metrics: dict[str, Any]) -> str:
    """The contender that the bundle holds: the int8 student, unless a sweep chose another."""
    return str(metrics.get("shipped", "int8"))


def metrics_table(table: Table, metrics: dict[str, Any]) -> str:
    """A Markdown table: a row per contender, a column per task, the bundle's own in bold."""
    rows = [
        [
            f"**{title}**" if name == shipped(metrics) else title,
            *_cells(table, metrics[name]["tasks"]),
        ]
        for name, title in CONTENDERS.items()
        if name in metrics
    ]
    return markdown(["", *(task.name for task in table.tasks)], rows)


def _slices(table: Table, metrics: dict[str, Any]) -> list[str]:
    contender = shipped(metrics)
    slices = metrics[contender]["slices"]
    rows = [[name, *_cells(table, tasks)] for name, tasks in slices.items()]
    header = ["slice", *(task.name for task in table.tasks)]
    return [f"The {CONTENDERS[contender]}, by slice:", markdown(header, rows)] if rows else []


def _cells(table: Table, tasks: dict[str, Any]) -> list[str]:
    """Headline and macro-F1 of each task; `-` where unknown."""
    cells = []
    for task in table.tasks:
        headline, macro = tasks[task.name][HEADLINE[task.kind]], tasks[task.name]["macro_f1"]
        macro_cell = "-" if macro is None else f"{macro:.1f}"
        cells.append("-" if headline is None else f"{headline:.1f} ({macro_cell})")
    return cells
