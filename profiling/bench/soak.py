"""Does memory stay bounded? Requests of mixed length to one server, and its memory on the way.

    python -m profiling soak --requests 100000

Most requests are a short text; some are a text longer than the bundle reads, some a list of up to
64 of both. Exit status 1 when one was not answered, or when memory grew after the first tenth.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.bundle import BundleError
from profiling import machine
from profiling.bench.throughput import ROOT, TEXTS, sample
from profiling.report.harness import percentiles
from profiling.report.load.plan import LoadError, Plan, run_load
from profiling.server import ServerError, serving

PARTS = 10
USERS = 8
MIX = 2000  # different requests
LONGEST = 300  # short texts in a long one
MOST_TEXTS = 64
GROWTH = 1.10
"""Of the memory after the first part: more at the end counts as growing."""


def main(arguments: Sequence[str]) -> int:
    """Send, print Markdown, and write soak.json and soak.md to `--out`."""
    parser = argparse.ArgumentParser("python -m profiling soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--bundle", type=Path, default=ROOT / "model" / "ingredients")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="directory for soak.json and .md")
    options = parser.parse_args(arguments)
    if options.requests < PARTS:
        parser.error(f"--requests is {PARTS} or more")
    try:
        rows = _soaked(options.bundle, options.requests)
    except (BundleError, ServerError, LoadError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    grown = rows[-1]["memory_mb"] / rows[0]["memory_mb"]
    report = {"machine": machine.describe(), "users": USERS, "rows": rows, "grown": round(grown, 3)}
    print(text := markdown(report))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "soak.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.out / "soak.md").write_text(text + "\n")
    return 1 if grown > GROWTH or any(row["errors"] for row in rows) else 0


def mixed(texts: Sequence[str], count: int, seed: int = 1) -> list[list[str]]:
    """`count` requests: 80 % a short text, 10 % a long one, 10 % a list of both."""
    dice = random.Random(seed)

    def long() -> str:
        return ", ".join(dice.choices(texts, k=dice.randint(2, LONGEST)))

    def request() -> list[str]:
        kind = dice.random()
        if kind < 0.8:
            return [dice.choice(texts)]
        if kind < 0.9:
            return [long()]
        size = dice.randint(2, MOST_TEXTS)
        return [long() if dice.random() < 0.05 else dice.choice(texts) for _ in range(size)]

    return [request() for _ in range(count)]


def _soaked(bundle: Path, requests: int) -> list[dict[str, Any]]:
    """A row after each part: how many were sent by then, and what the server held."""
    questions = mixed(sample(TEXTS, 10_000), MIX)
    rows: list[dict[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(bundle, Path(folder) / "log") as server,
    ):
        for part in range(1, PARTS + 1):
            outcome = run_load(
                Plan(
                    server.address,
                    questions,
                    users=USERS,
                    requests=requests // PARTS,
                    warmup_s=0.0,
                    duration_s=3600.0,
                    timeout_s=30.0,
                    seed=part,
                )
            )
            row = {
                "requests": part * (requests // PARTS),
                "memory_mb": round(server.memory_mb(), 1),
                "p99_ms": percentiles(outcome.latency_ms)["p99_ms"],
                "per_s": round(outcome.throughput, 1),
                "errors": outcome.errors,
            }
            print(f"{row['requests']}: {row['memory_mb']} MiB", file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def markdown(report: dict[str, Any]) -> str:
    lines = [
        "| requests | memory, MiB | p99, ms | requests/s | errors |",
        "|---|---|---|---|---|",
        *(
            f"| {row['requests']} | {row['memory_mb']} | {row['p99_ms']} | {row['per_s']} "
            f"| {row['errors']} |"
            for row in report["rows"]
        ),
        "",
        f"{report['users']} callers at once; at the end {report['grown']:.2f} times the memory "
        "after the first tenth.",
    ]
    return "\n".join(lines)
