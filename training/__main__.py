"""Train a bundle from a recipe.

python -m training check RECIPE             what is in the data, and how long a run will take
python -m training run RECIPE --out DIR     all stages; goes on where a killed run stopped;
                                            then the performance report, unless --no-report
python -m training teacher RECIPE --out DIR the stages up to the teacher; likewise the others
python -m training search RECIPE --out DIR  which settings suit the student
python -m training sweep RECIPE --out DIR   a grid of students, and the best one for a budget
python -m training twins RECIPE --out DIR   what sharing one network costs or gains each task
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


STAGE_NAMES = (
    "vocabulary", "pretrain", "teacher", "soft", "student", "export", "quantize", "evaluate",
    "bundle",
)  # fmt: skip

OPTIONS: dict[str, dict[str, tuple[Callable[[str], float], float | None, str]]] = {
    "sweep": {
        "--budget-minutes": (_positive, None, "stop training in time to report within so many"),
        "--max-latency-ms": (_positive, None, "pick: at most so many milliseconds per text"),
        "--max-mb": (_positive, None, "pick: at most so many megabytes"),
        "--min-accuracy": (_positive, None, "pick: at least so many percent, mean over tasks"),
    },
    "search": {
        "--trials": (_count, 13, "settings in the first round, the recipe's own among them (13)"),
        "--steps": (_count, 300, "optimizer steps of the first round (300)"),
        "--seed": (_count, 1, "of the settings that are drawn (1)"),
    },
    "twins": {
        "--steps": (_count, 400, "optimizer steps of every network (400)"),
        "--seeds": (_count, 5, "networks per kind, each from its own seed (5)"),
    },
}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)  # before libraries set theirs, which tell every step
    try:
        return COMMANDS.get(options.command, _run)(options)
    except (RecipeError, DataError, BundleError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("check", "run", *STAGE_NAMES, "search", "sweep", "twins"):
        command = commands.add_parser(name)
        command.add_argument("recipe", type=Path, help="a .toml file")
        if name != "check":
            command.add_argument("--out", type=Path, required=True, help="the bundle's directory")
        for option, (kind, default, meaning) in OPTIONS.get(name, {}).items():
            command.add_argument(option, type=kind, default=default, help=meaning)
        if name == "run":
            command.add_argument(
                "--no-report",
                action="store_true",
                help="end without the five minutes of load that the performance report takes",
            )
    return parser


def _check(options: argparse.Namespace) -> int:
    from training.rows.examine import check

    return check(read_recipe(options.recipe))


def _sweep(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.pipeline import BusyError
    from training.studies.sweep.points import Limits
    from training.studies.sweep.sweep_command import sweep

    limits = Limits(options.max_latency_ms, options.max_mb, options.min_accuracy)
    try:
        return sweep(recipe, options.out, options.budget_minutes, limits)
    except BusyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _search(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.pipeline import BusyError
    from training.studies.search import search

    try:
        return search(recipe, options.out, options.trials, options.steps, options.seed)
    except BusyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _twins(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.pipeline import BusyError
    from training.studies.twins.twins_command import twins

    try:
        return twins(recipe, options.out, options.steps, options.seeds)
    except BusyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.judge.training_report import write_report
    from training.pipeline import BusyError, run_stages  # torch: only once the recipe reads
    from training.quantize.gate import QuantizationError
    from training.rows.examine import warnings
    from training.run import Run

    run = Run(recipe, options.out)
    for line in warnings(run.table):
        print(f"warning: {line}", flush=True)
    last = STAGE_NAMES[-1] if options.command == "run" else options.command
    try:
        seconds = run_stages(run, last)
    except (QuantizationError, BusyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if last == STAGE_NAMES[-1] and os.environ.get("RANK", "0") == "0":  # torchrun counts processes
        print(write_report(run, seconds), flush=True)
        if options.command == "run" and not options.no_report:
            from training.judge.performance import report_performance

            report_performance(run)
    return 0


COMMANDS = {"check": _check, "search": _search, "sweep": _sweep, "twins": _twins}

if __name__ == "__main__":
    sys.exit(main())
