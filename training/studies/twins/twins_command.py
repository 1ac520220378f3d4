"""What does sharing one network cost or gain each task, and what does attention between tasks?

For both kinds of attention and every seed one network learns all tasks, and one network per task
learns that task alone: the same rows, steps and settings, fine-tuned and not distilled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from training.recipe import ATTENTIONS, Recipe
from training.studies.twins.fits import Figures, Twin, figures
from training.studies.twins.twins_report import Results, write_twins_report
from training.studies.twins.written_rows import with_written_rows


def twins(recipe: Recipe, out: Path, steps: int, seeds: int) -> int:
    """Train, compare, and write OUT.report/twins.{md,json}. Returns the exit status."""
    out = out.resolve()
    work = out.with_name(f"{out.name}.work") / "twins"
    written = with_written_rows(recipe, work / "rows.jsonl")
    results: Results = {}
    for twin in _pairs(written, seeds):
        found = figures(written, twin, steps, work)
        alone = len(twin.tasks) == 1 and len(recipe.tasks) > 1
        _add(results, twin, "alone" if alone else "shared", found)
    print(write_twins_report(recipe, out, results, steps, seeds))
    return 0


def _pairs(recipe: Recipe, seeds: int) -> Iterator[Twin]:
    """Seed by seed, so that what a stopped run has measured compares."""
    for seed in range(1, seeds + 1):
        for attention in ATTENTIONS:
            yield Twin(recipe.tasks, attention, seed)
            for task in recipe.tasks:
                if len(recipe.tasks) > 1:
                    yield Twin((task,), attention, seed)


def _add(results: Results, twin: Twin, network: str, found: Figures) -> None:
    for task, figure in found.items():
        if figure is not None:
            results.setdefault((twin.attention, network, task), []).append(figure)
