"""Does memory stay bounded? Requests of mixed length to one server, and its memory on the way.

    python -m profiling soak --requests 100000

Most requests are a short text; some are a text longer than the bundle reads, some a list of up to
64 of both. Exit status 1 when one was not answered, or when memory grew after the first tenth.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench import result
from profiling.percentiles import percentile
from profiling.report.load.plan import LoadError, Plan, run_load
from profiling.server import ServerError, serving
from tables.text import markdown

PARTS = 10
USERS = 8
MIX = 2000  # different requests
MAX_JOINED = 300  # short texts in a long one
MAX_TEXTS = 64
MAX_GROWTH = 1.10
"""Of the memory after the first part: more at the end counts as growing."""


def main(arguments: Sequence[str]) -> int:
    """Send, print Markdown, and write soak.json and soak.md to `--out`."""
    parser = result.parser("soak", __doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="default: 100000")
    options = parser.parse_args(arguments)
    if options.requests < PARTS:
        parser.error(f"--requests is {PARTS} or more")
    try:
        rows = measure(options.bundle, options.requests)
    except (ServerError, LoadError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    grown = round(rows[-1]["memory_mb"] / rows[0]["memory_mb"], 3)
    report = {"machine": machine.describe(), "users": USERS, "rows": rows, "grown": grown}
    print(text := table(report))
    result.write("soak", report, text, options.out)
    return 1 if grown > MAX_GROWTH or any(row["errors"] for row in rows) else 0


def mixed(texts: Sequence[str], count: int) -> list[list[str]]:
    """`count` requests: 80 % a short text, 10 % a long one, 10 % a list of both."""
    dice = random.Random(1)

    def long_text() -> str:
        return ", ".join(dice.choices(texts, k=dice.randint(2, MAX_JOINED)))

    def request() -> list[str]:
        kind = dice.random()
        if kind < 0.8:
            return [dice.choice(texts)]
        if kind < 0.9:
            return [long_text()]
        size = dice.randint(2, MAX_TEXTS)
        return [long_text() if dice.random() < 0.05 else dice.choice(texts) for _ in range(size)]

    return [request() for _ in range(count)]


def measure(bundle: Path, requests: int) -> list[dict[str, Any]]:
    """A row after each part: requests sent by then, and the server's memory in MiB.

    Raises ServerError and LoadError.
    """
    questions = mixed(result.sample(result.TEXTS, 10_000), MIX)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, serving(bundle, Path(folder) / "log") as server:
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
            latency_ms = outcome.latency_ms
            row = {
                "requests": part * (requests // PARTS),
                "memory_mb": round(server.memory_mb(), 1),
                "p99_ms": round(percentile(latency_ms, 99), 3) if len(latency_ms) else None,
                "per_s": round(outcome.throughput, 1),
                "errors": outcome.errors,
            }
            print(f"{row['requests']}: {row['memory_mb']} MiB", file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def table(report: dict[str, Any]) -> str:
    """Markdown: a row for each part, and how much the memory grew."""
    header = ("requests", "memory, MiB", "p99, ms", "requests/s", "errors")
    rows = [[str(value) for value in row.values()] for row in report["rows"]]
    note = (
        f"{report['users']} callers at once; at the end {report['grown']:.2f} times the memory "
        "after the first tenth."
    )
    return f"{markdown(header, rows)}\n\n{note}"
