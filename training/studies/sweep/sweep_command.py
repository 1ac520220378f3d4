"""Which student is best for my budget? Train and measure the grid, draw the front, pick from it.

The teacher and the recipe's own student come first. `OUT.report/` gets the plot, the table and
the JSON; `OUT/` gets the bundle that is best within the limits, if any are given.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from model.bundle import Bundle, read_bundle
from model.bundle_writer import refuse_other_files
from training.judge.evaluate import baseline_metrics, evaluate
from training.judge.ship_bundle import ship
from training.judge.training_report import write_replay
from training.recipe import Recipe
from training.run import Run, RunError
from training.studies.sweep.deadline import BudgetSpentError, training_time
from training.studies.sweep.front import BundleLimits, NothingFitsError, Point, pick
from training.studies.sweep.grid import candidates
from training.studies.sweep.latencies import timed
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
    if choice:
        notes += [f"{choice.name}: {warning}" for warning in choice.warnings]
    print(write_sweep_report(run, points, limits, choice, notes))
    if problem:
        raise problem
    if choice:
        shipped = _ship(run, choice, points)
        write_replay(run)
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


def _ship(run: Run, choice: Point, points: list[Point]) -> Bundle:
    """Write the choice's files to the run's target, with a card and all that a run measures."""
    contenders = _contenders(choice, points)
    metrics: dict[str, Any] = {
        "split": "test",
        **{name: evaluate(run.table, path) for name, path in contenders.items()},
        **baseline_metrics(run),
        "shipped": _contender(choice),
        "sweep": {
            "choice": choice.name,
            "validation": choice.accuracy,
            "latency_ms": choice.latency_ms,
            "mb": round(choice.mb, 2),
        },
    }
    recipe = replace(run.recipe, student=replace(run.recipe.student, layers=choice.layers))
    bundle = read_bundle(choice.path)
    return ship(recipe, run.table, bundle, metrics, run.target, choice.warnings)


def _contenders(choice: Point, points: list[Point]) -> dict[str, Path]:
    """The bundles that are evaluated: the teacher, and the chosen network in each precision."""
    contenders = {
        _contender(point): point.path
        for point in points
        if _shape(point) == _shape(choice) or _contender(point) == "teacher"
    }
    return contenders | {_contender(choice): choice.path}


def _contender(point: Point) -> str:
    """The name of such a network in a bundle's metrics."""
    names = {("teacher", "int8"): "teacher_int8", ("student", "int8"): "int8"}
    return names.get((point.network, point.precision), point.network)


def _shape(point: Point) -> tuple[object, ...]:
    return (point.network, point.layers, point.width, point.pieces, point.max_tokens)
