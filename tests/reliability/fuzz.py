"""Does any input break what reads it? Mutated requests, headers, bytes and logs, by the million.

python -m tests.reliability.fuzz --inputs 1000000 --out profiling/reports/reliability
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.aside import write_json, write_text
from tables.text import markdown
from tests.reliability.mutation import Target, inputs
from tests.reliability.targets import body, contract, dialects, log, trace, wire

TARGETS = {
    module.TARGET.name: module.TARGET for module in (body, contract, dialects, trace, wire, log)
}
FORMAT = 1
LIBRARIES = ("waitress",)
"""What takes part beside the standard library."""
SHOWN = 2000
"""Bytes of a failing input that are printed."""


class BrokenError(AssertionError):
    """An input that broke a target; the message holds it."""


def run(target: Target, count: int, seed: int = 1) -> dict[str, int]:
    """Try `count` inputs. Returns {outcome: inputs}; raises BrokenError at one that breaks it."""
    outcomes: Counter[str] = Counter()
    for number, data in enumerate(inputs(target, count, seed)):
        try:
            outcomes[target.check(data)] += 1
        except Exception as error:
            smaller = shrunk(target, data, type(error))
            raise BrokenError(
                f"{target.name}: input {number} of seed {seed}: {type(error).__name__}: {error}\n"
                f"{smaller[:SHOWN]!r}{' ...' * (len(smaller) > SHOWN)}"
            ) from error
    return dict(sorted(outcomes.items()))


def shrunk(target: Target, data: bytes, kind: type[Exception]) -> bytes:
    """A part of `data` that still ends in an error of that kind, and of which no slice can go."""
    size = len(data) // 2
    while size:
        start = 0
        while start < len(data):
            shorter = data[:start] + data[start + size :]
            if breaks(target, shorter, kind):
                data = shorter
            else:
                start += size
        size //= 2
    return data


def breaks(target: Target, data: bytes, kind: type[Exception]) -> bool:
    try:
        target.check(data)
    except kind:
        return True
    except Exception:
        return False
    return False


def campaign(names: list[str], count: int, seed: int) -> list[dict[str, Any]]:
    """A row of the record per target; one that broke has its input in place of outcomes."""
    rows = []
    for target in (TARGETS[name] for name in names):
        row = {"target": target.name, "code": target.code, "seed": seed}
        try:
            outcomes, broken = run(target, count, seed), None
        except BrokenError as error:
            outcomes, broken = {}, str(error)
        rows.append(
            {**row, "inputs": sum(outcomes.values()), "outcomes": outcomes, "broken": broken}
        )
        print(f"{target.name}: {broken or outcomes}", flush=True)
    return rows


def write_record(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write fuzz.json and fuzz.md."""
    folder.mkdir(parents=True, exist_ok=True)
    versions = {name: version(name) for name in LIBRARIES}
    python = platform.python_version()
    document = {"format": FORMAT, "python": python, "versions": versions, "targets": rows}
    write_json(folder / "fuzz.json", document)
    table = [[row["target"], row["code"], f"{row['inputs']:,}", outcomes_of(row)] for row in rows]
    text = markdown(["target", "code", "inputs", "what became of them"], table)
    write_text(folder / "fuzz.md", f"{text}\n\nPython {python}.\n")


def outcomes_of(row: dict[str, Any]) -> str:
    """Most frequent first."""
    if row["broken"]:
        return "broken by an input"
    ordered = sorted(row["outcomes"].items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {outcome}" for outcome, count in ordered)


def main() -> int:
    """Returns the exit status: 1 when an input broke a target."""
    parser = argparse.ArgumentParser("python -m tests.reliability.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="per target (1000000)")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=1, help="of the inputs (1)")
    parser.add_argument("--out", type=Path, help="directory for fuzz.json and fuzz.md")
    options = parser.parse_args()
    rows = campaign(options.targets, options.inputs, options.seed)
    if options.out:
        write_record(options.out, rows)
    return 1 if any(row["broken"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
