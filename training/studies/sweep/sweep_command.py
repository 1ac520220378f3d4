"""Which student is best for my budget? Train and measure the grid, draw the front, pick from it.

The teacher and the recipe's own student come first. `OUT.report/` gets the plot, the table and
the JSON; `OUT/` gets the bundle that is best within the limits, if any are given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from model.bundle import refuse_other_files
from training.recipe import Recipe
from training.rows.table import read_table
from training.studies.sweep.deadline import BudgetSpentError, training_time
from training.studies.sweep.front import NothingFitsError, pick
from training.studies.sweep.grid import candidates
from training.studies.sweep.measure import latencies
from training.studies.sweep.points import Limits, Point
from training.studies.sweep.ship import ship_choice
from training.studies.sweep.sweep_report import write_sweep_report
from training.studies.sweep.trials import Trials


def sweep(
    recipe: Recipe,
    out: Path,
    budget_minutes: float | None,
    max_latency_ms: float | None,
    max_mb: float | None,
    min_accuracy: float | None,
) -> int:
    """Returns the exit status: 1 when nothing was measured or nothing is within the limits."""
    out, limits = out.resolve(), Limits(max_latency_ms, max_mb, min_accuracy)
    refuse_other_files(out)
    trials = Trials(recipe, out.with_name(f"{out.name}.work") / "sweep")
    points: list[Point] = []
    notes: list[str] = []
    try:
        with training_time(budget_minutes):
            for more in _measured(trials, notes):
                points += more
    except BudgetSpentError:
        notes.append("the budget was spent before the whole grid; the same command goes on")
    if not points:
        minutes = f"{budget_minutes:g} minutes"
        print(f"error: nothing was measured within {minutes}; the same command goes on")
        return 1
    points = _timed(recipe, points)
    picked, problem = None, ""
    if limits.given:
        try:
            picked = pick(points, limits)
        except NothingFitsError as error:
            problem = str(error)
    print(write_sweep_report(recipe, out, points, limits, picked, [*notes, problem]))
    if picked:
        shipped = ship_choice(recipe, picked, points, out)
        print(f"{picked.name} is the choice: {shipped.identity} in {out}")
    if problem:
        print(f"error: {problem}")
    return 1 if problem else 0


def _measured(trials: Trials, notes: list[str]) -> Iterator[list[Point]]:
    plan, left_out = candidates(trials.recipe, trials.ground())
    notes += left_out
    for line in left_out:
        print(f"note: {line}", flush=True)
    for other in {c.recipe.vocabulary: c.recipe for c in plan[1:]}.values():
        trials.bring_to(other, "vocabulary")  # one that cannot be made says so before hours pass
    yield trials.teacher()
    for candidate in plan:
        yield trials.student(candidate)


def _timed(recipe: Recipe, points: list[Point]) -> list[Point]:
    """The points with their latencies, all timed in turn in this run."""
    texts = [row.text for row in read_table(recipe).split("test")]
    paths = [point.path for point in points]
    first, *_ = threads = recipe.sweep.threads
    found = {count: latencies(paths, texts, count) for count in threads}
    return [
        replace(
            point,
            latency_ms=found[first][place]["median_ms"],
            latencies={str(count): found[count][place] for count in threads},
        )
        for place, point in enumerate(points)
    ]
