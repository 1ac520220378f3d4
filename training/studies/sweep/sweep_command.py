"""Which student is best for my budget? Train and measure the grid, draw the front, pick from it.

The teacher and the recipe's own student come first. `OUT.report/` gets the plot, the table and
the JSON; `OUT/` gets the bundle that is best within the limits, if any are given.
"""

from __future__ import annotations

from pathlib import Path

from model.bundle import refuse_other_files
from training.recipe import Recipe
from training.run import Run, RunError
from training.studies.sweep.deadline import BudgetSpentError, training_time
from training.studies.sweep.front import BundleLimits, NothingFitsError, Point, pick
from training.studies.sweep.grid import candidates
from training.studies.sweep.latencies import timed
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
    """Returns the exit status. Raises RunError: nothing was measured or is within the limits."""
    run, limits = Run(recipe, out), BundleLimits(max_latency_ms, max_mb, min_accuracy)
    refuse_other_files(run.target)
    points: list[Point] = []
    notes: list[str] = []
    try:
        with training_time(budget_minutes):
            _measure(Trials(run), points, notes)
    except BudgetSpentError:
        notes.append("the budget was spent before the whole grid; the same command goes on")
    if not points:
        minutes = f"{budget_minutes:g} minutes"
        raise RunError(f"nothing was measured within {minutes}; the same command goes on")
    texts = [row.text for row in run.table.split("test")]
    points = timed(points, texts, recipe.sweep.threads)
    choice, problem = None, None
    try:
        choice = pick(points, limits) if limits.active else None
    except NothingFitsError as error:
        problem = error
        notes.append(str(error))
    print(write_sweep_report(run, points, limits, choice, notes))
    if problem:
        raise problem
    if choice:
        shipped = ship_choice(run, choice, points)
        print(f"{choice.name} is the choice: {shipped.identity} in {run.target}")
    return 0


def _measure(trials: Trials, points: list[Point], notes: list[str]) -> None:
    """Add the points of the grid one network at a time, until an alarm ends it."""
    plan, left_out = candidates(trials.run.recipe, trials.bounds())
    notes += left_out
    for line in left_out:
        print(f"note: {line}", flush=True)
    for other in {c.recipe.vocabulary: c.recipe for c in plan[1:]}.values():
        trials.bring_to(other, "vocabulary")  # one that cannot be made says so before hours pass
    points += trials.teacher()
    for candidate in plan:
        points += trials.student(candidate)
