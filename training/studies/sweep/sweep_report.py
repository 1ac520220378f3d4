"""What did the sweep find? A plot and a table for people, one JSON document for programs."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training.recipe import Recipe
from training.studies.sweep.front import fronts
from training.studies.sweep.front_plot import draw
from training.studies.sweep.measure import ROUNDS, TEXTS
from training.studies.sweep.points import Limits, Point

FORMAT = 1


def write_sweep_report(
    recipe: Recipe,
    out: Path,
    points: list[Point],
    limits: Limits,
    picked: Point | None,
    notes: list[str],
) -> str:
    """Write OUT.report/sweep.{md,json,png,svg}; return the text for the terminal."""
    folder = out.with_name(f"{out.name}.report")
    folder.mkdir(exist_ok=True)
    notes = [note for note in notes if note]
    draw(recipe.name, points, limits, picked, folder)
    text = "\n\n".join(
        [
            f"# {recipe.name}: accuracy against latency and size",
            "![Pareto fronts](sweep.svg)",
            _table(recipe, points, picked),
            _explained(recipe),
            *(f"- {note}" for note in notes),
        ]
    )
    (folder / "sweep.md").write_text(text + "\n", encoding="utf-8")
    document = _document(recipe, out, points, limits, picked, notes)
    (folder / "sweep.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return f"{text}\n\nplot, table and JSON in {folder}"


def _table(recipe: Recipe, points: list[Point], picked: Point | None) -> str:
    threads, tasks = recipe.sweep.threads, [task.name for task in recipe.tasks]
    on_front = {point.name for line in fronts(points).values() for point in line}
    header = [
        "", "accuracy", *tasks, "test", *(f"ms, {_threads(n)}" for n in threads),
        "p95 ms", "ms, full length", "MB", "pieces", "tokens",
    ]  # fmt: skip
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for point in sorted(points, key=lambda point: -point.accuracy):
        cells = [
            point.name + (" (the choice)" if point is picked else ""),
            *(f"{value:.1f}" for value in (point.accuracy,)),
            *(_percent(point.validation_tasks[task]) for task in tasks),
            f"{point.test:.1f}",
            *(f"{point.latencies[str(n)]['median_ms']:.2f}" for n in threads),
            *(
                f"{point.latencies[str(threads[0])][key]:.2f}"
                for key in ("p95_ms", "full_length_ms")
            ),
            f"{point.mb:.1f}",
            str(point.pieces),
            str(point.max_tokens),
        ]
        lines.append([f"**{cell}**" for cell in cells] if point.name in on_front else cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count > 1)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _explained(recipe: Recipe) -> str:
    return (
        "Bold: on a front; nothing measured is both as accurate and faster, or both as "
        "accurate and smaller. Accuracy is the mean over the tasks of accuracy (single label) or "
        "micro-F1 (multi-label) in percent on validation, by which is chosen; `test` is the same "
        "mean on the test split. Accuracies that agree to one decimal count as equal. "
        f"Latency is the median of one text at a time, {TEXTS} texts from "
        f"the test split in {ROUNDS} rounds over all bundles in turn, warm, through the serving "
        f"classifier with {_threads(recipe.sweep.threads[0])}. MB counts all files of the bundle, "
        f"in 10^6 bytes. On {_machine()}."
    )


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {name}, onnxruntime {version('onnxruntime')}"


def _document(
    recipe: Recipe,
    out: Path,
    points: list[Point],
    limits: Limits,
    picked: Point | None,
    notes: list[str],
) -> dict[str, Any]:
    """Bundles are given relative to the folder that `out` is in."""
    lines = fronts(points)
    return {
        "format": FORMAT,
        "name": recipe.name,
        "machine": _machine(),
        "grid": asdict(recipe.sweep),
        "limits": limits.given,
        "choice": picked.name if picked else None,
        "points": [
            {
                **asdict(point),
                "bundle": str(point.path.relative_to(out.parent)),
                "fronts": [name for name, line in lines.items() if point in line],
            }
            for point in points
        ],
        "notes": notes,
    }
