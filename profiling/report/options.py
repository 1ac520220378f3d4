"""What can be set of a report? Its command line, read into one frozen dataclass."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from profiling.report.budgets import BUDGETS


@dataclass(frozen=True)
class Options:
    bundle: Path
    out: Path
    data: Path | None
    text: str
    rate: float | None
    """Requests per second of the steady run; None: half of the rate held."""
    users: int
    batch: int
    """Texts per request."""
    tasks: list[str] | None
    """None: all tasks of the bundle."""
    duration_s: float
    budgets: Path
    gate: bool
    show_texts: bool


def read_options(arguments: Sequence[str]) -> Options:
    """Parse the command line; a wrong one ends the process with a message."""
    parser = argparse.ArgumentParser(
        "python -m profiling report",
        description="Load the real function and write OUT/report.html and OUT/report.json.",
    )
    option = parser.add_argument
    option("bundle", type=Path, metavar="BUNDLE", help="a bundle directory")
    option("--out", type=Path, metavar="DIR", help="default: BUNDLE.report")
    option(
        "--data", type=Path, metavar="FILE",
        help="texts to replay, with labels: .jsonl, .jsonl.gz or .csv "
        "(default: BUNDLE.work/replay.jsonl, else the repository's table of that name)",
    )  # fmt: skip
    option("--text", default="text", metavar="COLUMN", help="the texts' column (default: text)")
    option(
        "--rate", type=_between(float, 0.1, 100_000), metavar="N",
        help="requests per second of the main run (default: half of what it holds)",
    )  # fmt: skip
    option(
        "--users", type=_between(int, 1, 1000), default=8, metavar="N",
        help="callers at once when the server is driven to its limit (default: 8)",
    )  # fmt: skip
    option(
        "--batch", type=_between(int, 1, 256), default=1, metavar="N",
        help="texts a request (default: 1)",
    )  # fmt: skip
    option(
        "--tasks", type=lambda value: value.split(","), metavar="TASK[,TASK]",
        help="tasks to ask for (default: all)",
    )  # fmt: skip
    option(
        "--duration", dest="duration_s", type=_between(float, 10, 300), default=240.0,
        metavar="SECONDS",
        help="for everything, 10 to 300 (default: 240); the shorter, the weaker its figures",
    )  # fmt: skip
    option("--budgets", type=Path, default=BUDGETS, metavar="FILE", help=f"default: {BUDGETS.name}")
    option(
        "--gate", action="store_true",
        help="end with exit status 1, and say why, when a budget is broken or was not measured, "
        "or a probe failed",
    )  # fmt: skip
    option("--show-texts", action="store_true", help="let the report quote replayed texts")
    values = vars(parser.parse_args(arguments))
    bundle: Path = values["bundle"].resolve()
    return Options(**{**values, "out": values["out"] or bundle.with_name(f"{bundle.name}.report")})


def _between(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    """A reader of numbers from `low` to `high`; argparse shows its message."""

    def read(value: str) -> float:
        with suppress(ValueError):
            if low <= (number := kind(value)) <= high:
                return number
        raise argparse.ArgumentTypeError(f"{value!r}: give a number from {low:g} to {high:g}")

    return read
