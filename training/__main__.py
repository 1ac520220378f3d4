"""Train a bundle from a recipe.

python -m training check RECIPE             what is in the data, and how long a run will take
python -m training run RECIPE --out DIR     all stages; goes on where a killed run stopped
python -m training teacher RECIPE --out DIR the stages up to the teacher; likewise the others
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from model.bundle import BundleError
from training.recipe import RecipeError, read_recipe
from training.rows import DataError, read_table

STAGE_NAMES = ("vocabulary", "teacher", "student", "export", "quantize", "evaluate", "bundle")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)  # before libraries set theirs, which tell every step
    try:
        return _check(options.recipe) if options.command == "check" else _run(options)
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
    for name in ("check", "run", *STAGE_NAMES):
        command = commands.add_parser(name)
        command.add_argument("recipe", type=Path, help="a .toml file")
        if name != "check":
            command.add_argument("--out", type=Path, required=True, help="the bundle's directory")
    return parser


def _check(path: Path) -> int:
    from training.check import check

    return check(read_recipe(path))


def _run(options: argparse.Namespace) -> int:
    recipe = read_recipe(options.recipe)
    from training.check import warnings
    from training.gate import QuantizationError
    from training.pipeline import BusyError, run_stages  # torch: only once the recipe reads
    from training.report import write_report

    for line in warnings(read_table(recipe)):
        print(f"warning: {line}", flush=True)
    last = STAGE_NAMES[-1] if options.command == "run" else options.command
    try:
        seconds = run_stages(recipe, options.out, last)
    except (QuantizationError, BusyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if last == STAGE_NAMES[-1] and os.environ.get("RANK", "0") == "0":  # torchrun counts processes
        print(write_report(recipe, options.out, seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
