"""How does a measured bundle become the result? Its files as they are, a card, all metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from model.aside import read_json
from model.bundle import MODEL, TOKENIZER, Bundle, read_bundle
from model.bundle_writer import copied_bundle
from tables.text import markdown
from training.base import resolve_base
from training.fit.schedule import student_layers
from training.judge.behind import behind_lines
from training.judge.drops import int8_warnings
from training.judge.evaluate import METRICS
from training.judge.intervals import CLAIM, about, interval_text, rows_to_claim
from training.judge.metrics import HEADLINE
from training.judge.offset_prices import RAISED, offset_warnings, price_paragraphs
from training.judge.refit_facts import REFIT, refit_paragraphs
from training.recipe import Recipe
from training.rows.table import LabelledTask, Table
from training.run import Run

CONTENDERS = {
    "baseline": "TF-IDF + linear",
    "frozen": "frozen embeddings + linear",
    "fasttext": "fastText",
    "teacher": "teacher",
    "teacher_int8": "teacher, int8",
    "student": "student, fp32",
    "int8": "student, int8",
}
"""Those that a bundle's metrics may hold, with their titles."""
DIGEST = "digest.txt"
"""The digest of the bundle that was written, in the stage's folder."""
FIGURES = (
    "Percent on the test split, through the classifier that serves: accuracy of single-label "
    "tasks, micro-F1 of multi-label tasks, with its 95 % interval in square brackets and macro-F1 "
    "in round ones."
)


def run(run: Run, folder: Path) -> None:
    """The stage `bundle`: write the int8 student, refitted or not, to the run's target."""
    metrics = read_json(run.work / "evaluate" / METRICS)
    int8 = read_bundle(run.work / "quantize" / "int8")
    if run.recipe.ship.refit:
        int8 = read_bundle(run.work / "verify" / "int8")
        metrics[REFIT] = run.facts("verify")
    warnings = [
        *int8_warnings(run.facts("quantize"), run.recipe.quantize.max_drop, "undecided"),
        *offset_warnings(metrics.get(RAISED, [])),
    ]
    shipped = ship(run.recipe, run.table, int8, metrics, run.target, warnings)
    (folder / DIGEST).write_text(shipped.digest)


def ship(
    recipe: Recipe,
    table: Table,
    measured: Bundle,
    metrics: dict[str, Any],
    target: Path,
    warnings: Sequence[str] = (),
) -> Bundle:
    """Write `measured` to `target`, under the recipe's name, with its metrics and model card.

    `warnings` stand in the card, beside those about headlines from few rows.
    """
    size = sum((measured.path / name).stat().st_size for name in (MODEL, TOKENIZER))
    card = model_card(recipe, table, metrics, size, warnings)
    return copied_bundle(measured, target, name=recipe.name, card=card, metrics=metrics)


def model_card(
    recipe: Recipe, table: Table, metrics: dict[str, Any], size: int, warnings: Sequence[str] = ()
) -> str:
    counts = Counter(row.split for row in table.rows)
    base_layers = read_json(resolve_base(recipe.base) / "config.json")["num_hidden_layers"]
    layers = student_layers(recipe.student, counts["train"], base_layers)
    contender = shipped(metrics)
    precision = "int8" if contender.endswith("int8") else "fp32"
    method = "Fine-tuned" if contender.startswith("teacher") else "Distilled"
    slices = metrics[contender]["slices"]
    warnings = [
        *behind_lines(metrics, CONTENDERS),
        *warnings,
        *unclear_headlines(table.tasks, metrics[contender]["tasks"]),
    ]
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
        "Of the held-out fit." if REFIT in metrics else "",
        FIGURES,
        metrics_table(table, metrics),
        *price_paragraphs(metrics.get(RAISED, [])),
        "\n".join(f"- Warning: {line}" for line in warnings),
        f"The {CONTENDERS[contender]}, by slice:" if slices else "",
        _figures_table(table, "slice", slices) if slices else "",
        *(refit_paragraphs(metrics[REFIT]) if REFIT in metrics else ()),
        "## Performance" if recipe.card.performance else "",
        recipe.card.performance,
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
    figures = {
        f"**{title}**" if name == shipped(metrics) else title: metrics[name]["tasks"]
        for name, title in CONTENDERS.items()
        if name in metrics
    }
    return _figures_table(table, "", figures)


def _figures_table(table: Table, first: str, figures: dict[str, Any]) -> str:
    """Headline, interval and macro-F1, `-` where unknown, of `figures` {title: {task: metrics}}."""
    rows = [
        [title, *(_cell(tasks[task.name], HEADLINE[task.kind]) for task in table.tasks)]
        for title, tasks in figures.items()
    ]
    return markdown([first, *(task.name for task in table.tasks)], rows)


def _cell(metrics: dict[str, Any], headline: str) -> str:
    if metrics[headline] is None:
        return "-"
    macro = "-" if metrics["macro_f1"] is None else f"{metrics['macro_f1']:.1f}"
    return f"{metrics[headline]:.1f} {interval_text(metrics['interval'])} ({macro})"


def unclear_headlines(tasks: Iterable[LabelledTask], metrics: dict[str, Any]) -> Iterator[str]:
    """A sentence for each headline in `metrics` {task: metrics} that stands on too few rows."""
    for task in tasks:
        headline = HEADLINE[task.kind]
        figure, bounds = metrics[task.name][headline], metrics[task.name]["interval"]
        rows = metrics[task.name]["rows"]
        if bounds and (needed := rows_to_claim(rows, bounds)):
            yield (
                f"{task.name}: {rows:,} test rows are too few for {figure:.1f}, which may be "
                f"{bounds[0]:.1f} to {bounds[1]:.1f}; about {about(needed)} rows would tell it to "
                f"within {CLAIM:g} points"
            )
