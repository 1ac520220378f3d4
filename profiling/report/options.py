"""What can be asked of a report? Its command line, read into one frozen dataclass."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profiling.report.budgets import BUDGETS

LONGEST_S = 300.0


@dataclass(frozen=True)
class Options:
    bundle: Path
    out: Path
    data: Path | None
    text: str
    rate: float | None
    users: int
    batch: int
    tasks: list[str] | None
    duration_s: float
    budgets: Path
    gate: bool
    show_texts: bool


def read_options(arguments: Sequence[str]) -> Options:
    """Parse the command line; a wrong one ends the process with a message."""
    parser = _parser()
    given = parser.parse_args(arguments)
    bundle: Path = given.bundle
    out = given.out or bundle.resolve().with_name(f"{bundle.resolve().name}.report")
    return Options(**{**vars(given), "out": out})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m profiling report",
        description="Load the real function and write OUT/report.html and OUT/report.json.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: BUNDLE.report")
    parser.add_argument("--data", type=Path, metavar="FILE", help="texts to replay, with labels")
    parser.add_argument("--text", default="text", metavar="COLUMN", help="default: text")
    parser.add_argument(
        "--rate",
        type=_number(0.1, 100_000),
        metavar="N",
        help="requests per second of the main run (default: half of what it holds)",
    )
    parser.add_argument(
        "--users",
        type=_whole(1, 1000),
        default=8,
        metavar="N",
        help="callers at once when the server is driven to its limit (default: 8)",
    )
    parser.add_argument(
        "--batch", type=_whole(1, 256), default=1, metavar="N", help="texts a request (default: 1)"
    )
    parser.add_argument(
        "--tasks", type=lambda value: value.split(","), metavar="TASK[,TASK]", help="default: all"
    )
    parser.add_argument(
        "--duration",
        dest="duration_s",
        type=_number(10, LONGEST_S),
        default=240.0,
        metavar="SECONDS",
        help="for everything, 10 to 300 (default: 240); the shorter, the weaker its figures",
    )
    parser.add_argument(
        "--budgets", type=Path, default=BUDGETS, metavar="FILE", help=f"default: {BUDGETS.name}"
    )
    parser.add_argument(
        "--gate", action="store_true", help="end with exit status 1 when a budget is broken"
    )
    parser.add_argument(
        "--show-texts", action="store_true", help="let the report quote replayed texts"
    )
    return parser


class _Range:
    """Reads a number between two others; argparse shows its message."""

    def __init__(self, kind: type[int] | type[float], least: float, most: float) -> None:
        self._kind, self._least, self._most = kind, least, most

    def __call__(self, value: str) -> float:
        try:
            number = self._kind(value)
        except ValueError:
            number = self._kind(self._least - 1)
        if not self._least <= number <= self._most:
            raise argparse.ArgumentTypeError(
                f"{value!r}: give a number from {self._least:g} to {self._most:g}"
            )
        return number


def _number(least: float, most: float) -> _Range:
    return _Range(float, least, most)


def _whole(least: int, most: int) -> _Range:
    return _Range(int, least, most)
