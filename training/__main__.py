"""Train a bundle from a recipe, judge it, and study what suits it.

A run goes through its stages into DIR.work and ends with the bundle in DIR and a report in
DIR.report. Every command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path

from model.bundle import BundleError
from training.full_disk import full_disk
from training.recipe import RecipeError, read_recipe
from training.rows.data_files import DataError
from training.run import RunError
from training.stages import STAGE_NAMES, STAGES

BUNDLE, REPORT = "the bundle's directory", "DIR.report"


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 for a run without its result, 2 for what cannot be run."""
    options = vars(_parser().parse_args(arguments))
    logging.basicConfig(level=logging.ERROR)  # before libraries set theirs, which log every step
    module, _, function = options.pop("function").rpartition(".")
    try:
        recipe = read_recipe(options.pop("recipe"))
        status = getattr(importlib.import_module(module), function)(recipe, **options)
    except (RecipeError, DataError, BundleError, RunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except Exception as error:
        out = options.get("out")
        problem = full_disk(error, out.absolute().parent) if out else None
        if problem is None:
            raise
        print(f"\nerror: {problem}", file=sys.stderr)  # on a line of its own, after a progress bar
        return 1
    return int(status)


def _parser() -> argparse.ArgumentParser:
    """Each command names a function, which is called with the recipe and the other options.

    It is imported only then: a wrong recipe is reported before torch is loaded.
    """
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: str, summary: str, out: str = BUNDLE) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary)
        command.set_defaults(function=f"training.{function}")
        command.add_argument("recipe", type=Path, help="a .toml file")
        if out:
            command.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
        return command

    summary = "what is in the data, what will hurt, and how long a run will take"
    add("check", "examine.examine", summary, out="")
    command = add("run", "pipeline.train", "all stages, then the performance report")
    command.set_defaults(last=STAGE_NAMES[-1])
    command.add_argument(
        "--no-report",
        dest="load_report",
        action="store_false",
        help="end without the four minutes of load that the performance report takes",
    )
    for stage in STAGES:
        command = add(stage.name, "pipeline.train", f"until this stage: {stage.makes}")
        command.set_defaults(last=stage.name, load_report=False)
    _add_studies(add)
    summary = "is a new bundle at least as good as the deployed one?"
    command = add("compare", "compare.compare_bundles", summary, out="")
    command.add_argument("deployed", type=Path, help="the bundle that is deployed")
    command.add_argument("candidate", type=Path, help="the bundle that would replace it")
    command.add_argument(
        "--max-drop",
        type=float,
        default=0.5,
        metavar="POINTS",
        help="points that a task may lose, as measured (0.5); beyond it exit status 1 or 3",
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="write the same as JSON")
    return parser


def _add_studies(add: Callable[..., argparse.ArgumentParser]) -> None:
    def option(name: str, kind: Callable[[str], float], default: float | None, what: str) -> None:
        command.add_argument(name, type=kind, default=default, metavar="N", help=what)

    summary, out = "which settings suit the student, cheap trials first", f"results: {REPORT}"
    command = add("search", "studies.search.search", summary, out)
    option("--trials", _count, 13, "settings in the first round, the recipe's among them (13)")
    option("--steps", _count, 300, "optimizer steps of the first round (300)")
    option("--seed", _count, 1, "of the settings that are drawn (1)")

    summary = "what sharing one network costs or gains each task"
    command = add("twins", "studies.twins.twins_command.twins", summary, out)
    option("--steps", _count, 400, "optimizer steps of every network (400)")
    option("--seeds", _count, 5, "networks per kind, each from its own seed (5)")

    summary = "a grid of students, and the best one within limits"
    out = f"the bundle that is best within the limits; results: {REPORT}"
    command = add("sweep", "studies.sweep.sweep_command.sweep", summary, out)
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


if __name__ == "__main__":
    sys.exit(main())
