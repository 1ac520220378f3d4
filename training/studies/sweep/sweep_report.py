"""What did the sweep find? A plot and a table for people, one JSON document for programs."""

from __future__ import annotations

from dataclasses import asdict

from profiling import machine
from tables.text import markdown
from training.run import Run
from training.studies.study import bold, percent, write_results
from training.studies.sweep.front import BundleLimits, Point, fronts
from training.studies.sweep.front_plot import draw
from training.studies.sweep.latencies import ROUNDS, TEXTS

FORMAT = 2
"""Since 2 `machine` is what profiling.machine describes."""


def write_sweep_report(
    run: Run, points: list[Point], limits: BundleLimits, choice: Point | None, notes: list[str]
) -> str:
    """Write DIR.report/sweep.{md,json,png,svg}; return the text for the terminal."""
    recipe, on_machine, lines = run.recipe, machine.describe(), fronts(points)
    text = "\n\n".join(
        [
            f"# {recipe.name}: accuracy against latency and size",
            "![Pareto fronts](sweep.svg)",
            _table(run, points, choice),
            "Bold: on a front; nothing measured is both as accurate and faster, or both as "
            "accurate and smaller. Accuracy is the mean over the tasks of accuracy (single label) "
            "or micro-F1 (multi-label) in percent on validation, by which is chosen; `test` is the "
            "same mean on the test split. Accuracies that agree to one decimal count as equal. "
            f"Latency is the median of one text at a time, {TEXTS} texts from "
            f"the test split in {ROUNDS} rounds over all bundles in turn, warm, through the "
            f"serving classifier with {_threads(recipe.sweep.threads[0])}. MB counts all files of "
            f"the bundle, in 10^6 bytes. On {machine.sentence(on_machine)}",
            *(f"- {note}" for note in notes),
        ]
    )
    document = {
        "format": FORMAT,
        "name": recipe.name,
        "machine": on_machine,
        "grid": asdict(recipe.sweep),
        "limits": limits.active,
        "choice": choice.name if choice else None,
        "points": [
            {
                **asdict(point),
                "bundle": str(point.path.relative_to(run.target.parent)),
                "fronts": [name for name, line in lines.items() if point in line],
            }
            for point in points
        ],
        "notes": notes,
    }
    shown = write_results(run, "sweep", text, document)
    draw(recipe.name, points, limits, choice, run.report)
    return shown


def _table(run: Run, points: list[Point], choice: Point | None) -> str:
    threads, tasks = run.recipe.sweep.threads, [task.name for task in run.recipe.tasks]
    on_front = {point.name for line in fronts(points).values() for point in line}
    header = [
        "", "accuracy", *tasks, "test", *(f"ms, {_threads(n)}" for n in threads),
        "p95 ms", "ms, full length", "MB", "pieces", "tokens",
    ]  # fmt: skip
    rows = []
    for point in sorted(points, key=lambda point: -point.accuracy):
        latencies = [point.latencies[str(count)] for count in threads]
        cells = [
            point.name + (" (the choice)" if point is choice else ""),
            percent(point.accuracy),
            *(percent(point.validation_tasks[task]) for task in tasks),
            percent(point.test),
            *(f"{latency['median_ms']:.2f}" for latency in latencies),
            *(f"{latencies[0][key]:.2f}" for key in ("p95_ms", "full_length_ms")),
            f"{point.mb:.1f}",
            str(point.pieces),
            str(point.max_tokens),
        ]
        rows.append(bold(cells, point.name in on_front))
    return markdown(header, rows, numbers_from=1)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"
