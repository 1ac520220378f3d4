"""Train a bundle from a recipe, judge it, and study what suits it.

A run goes through its stages into DIR.work and ends with the bundle in DIR and a report in
DIR.report. Every command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

from model.bundle import BundleError
from training.recipe import RecipeError, read_recipe
from training.rows.table import DataError
from training.run import Run, RunError
from training.stages import STAGE_NAMES, STAGES

Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 for a run without its result, 2 for what cannot be run."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)  # before libraries set theirs, which log every step
    command: Command = options.run
    try:
        return command(options)
    except (RecipeError, DataError, BundleError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, summary: str, out: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument("recipe", type=Path, help="a .toml file")
        if out:
            command.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
        command.set_defaults(run=run)
        return command

    add("check", _check, "what is in the data, what will hurt, and how long a run will take")
    command = add("run", _run, "all stages, then the performance report", "the bundle's directory")
    command.set_defaults(last=STAGE_NAMES[-1])
    command.add_argument(
        "--no-report",
        action="store_true",
        help="end without the five minutes of load that the performance report takes",
    )
    for stage in STAGES:
        command = add(
            stage.name, _run, f"until this stage: {stage.makes}", "the bundle's directory"
        )
        command.set_defaults(last=stage.name, no_report=True)
    _add_studies(add)
    command = add("compare", _compare, "is a new bundle at least as good as the deployed one?")
    command.add_argument("deployed", type=Path, help="the bundle that is deployed")
    command.add_argument("candidate", type=Path, help="the bundle that would replace it")
    command.add_argument(
        "--max-drop",
        type=float,
        default=0.5,
        metavar="POINTS",
        help="refuse a task that lost for certain more than so many points (0.5)",
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="write the same as JSON")
    return parser


def _add_studies(add: Callable[..., argparse.ArgumentParser]) -> None:
    def option(name: str, kind: Callable[[str], float], default: float | None, what: str) -> None:
        command.add_argument(name, type=kind, default=default, metavar="N", help=what)

    out = "the results go to DIR.report"
    command = add("search", _search, "which settings suit the student, cheap trials first", out)
    option("--trials", _count, 13, "settings in the first round, the recipe's among them (13)")
    option("--steps", _count, 300, "optimizer steps of the first round (300)")
    option("--seed", _count, 1, "of the settings that are drawn (1)")

    command = add("twins", _twins, "what sharing one network costs or gains each task", out)
    option("--steps", _count, 400, "optimizer steps of every network (400)")
    option("--seeds", _count, 5, "networks per kind, each from its own seed (5)")

    out = "the bundle that is best within the limits; the results go to DIR.report"
    command = add("sweep", _sweep, "a grid of students, and the best one within limits", out)
    option("--budget-minutes", _positive, None, "stop training in time to report within so many")
    option("--max-latency-ms", _positive, None, "pick: at most so many milliseconds per text")
    option("--max-mb", _positive, None, "pick: at most so many megabytes")
    option("--min-accuracy", _positive, None, "pick: at least so many percent, mean over tasks")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}; give a number above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}; give a whole number, 1 or more")
    return int(text)


# What a command needs is imported when it runs: a wrong recipe is told before torch is loaded.


def _check(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.rows.examine import examine

    return examine(recipe)


def _run(options: argparse.Namespace) -> int:
    run = Run(read_recipe(options.recipe), options.out)
    from training.judge.training_report import report_performance, write_report
    from training.pipeline import run_stages
    from training.rows.examine import warnings

    for line in warnings(run.table):
        print(f"warning: {line}", flush=True)
    seconds = run_stages(run, options.last)
    is_first = os.environ.get("RANK", "0") == "0"  # torchrun numbers its processes
    if options.last == STAGE_NAMES[-1] and is_first:
        print(write_report(run, seconds), flush=True)
        if not options.no_report:
            report_performance(run)
    return 0


def _compare(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.compare import print_comparison
    from training.rows.table import read_table

    table = read_table(recipe)
    return print_comparison(
        table, options.deployed, options.candidate, options.max_drop, options.out
    )


def _search(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.studies.search import search

    return search(recipe, options.out, options.trials, options.steps, options.seed)


def _sweep(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.studies.sweep.points import Limits
    from training.studies.sweep.sweep_command import sweep

    limits = Limits(options.max_latency_ms, options.max_mb, options.min_accuracy)
    return sweep(recipe, options.out, options.budget_minutes, limits)


def _twins(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.studies.twins.twins_command import twins

    return twins(recipe, options.out, options.steps, options.seeds)


if __name__ == "__main__":
    sys.exit(main())
