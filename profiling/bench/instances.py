"""Do more instances carry more? One, two and three of them behind one address.

    python -m profiling instances --out profiling/results

Every caller sends its next text as soon as it has an answer. All instances run on this machine:
without a processor for each they cannot carry more.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from model.bundle import BundleError, read_bundle
from profiling import machine
from profiling.bench import result
from profiling.percentiles import percentile
from profiling.report.load.plan import LoadError, Plan, run_load
from profiling.server import HOST, ROOT, ServerError, free_port, serving
from tables.text import markdown

MAX_INSTANCES = 3
TEXTS = 1000  # different ones


def main(arguments: Sequence[str]) -> int:
    """Measure, print Markdown; 1 when it cannot be measured or a request was not answered."""
    parser = result.parser("instances", __doc__)
    parser.add_argument("--users", type=int, default=8, help="callers at once; default: 8")
    parser.add_argument("--seconds", type=float, default=20, help="of each number; default: 20")
    options = parser.parse_args(arguments)
    if min(options.users, options.seconds) < 1:
        parser.error("--users and --seconds are 1 or more")
    try:
        bundle = read_bundle(options.bundle)
        report: dict[str, Any] = {
            "machine": machine.describe(),
            "users": options.users,
            "seconds": options.seconds,
            "rows": measure(bundle.path, options.users, options.seconds),
        }
    except (BundleError, ServerError, LoadError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(text := table(report))
    result.write("instances", report, text, options.out)
    return 1 if any(row["errors"] for row in report["rows"]) else 0


def measure(bundle: Path, users: int, seconds: float) -> list[dict[str, Any]]:
    """A row for each number of instances: answers per second, latencies, errors.

    Raises ServerError and LoadError.
    """
    questions = [[text] for text in result.sample(result.TEXTS, TEXTS)]
    rows = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        ports = []
        for count in range(1, MAX_INSTANCES + 1):
            log = Path(folder) / f"instance{count}.log"
            ports.append(servers.enter_context(serving(bundle, log)).port)
            with balanced(ports) as address:
                outcome = run_load(Plan(address, questions, users=users, duration_s=seconds))
            if not len(outcome.latency_ms):
                raise LoadError(f"{count} instances answered no request")
            rows.append(
                {
                    "instances": count,
                    "requests": len(outcome.latency_ms),
                    "per_s": round(outcome.throughput, 1),
                    "p50_ms": round(percentile(outcome.latency_ms, 50), 2),
                    "p99_ms": round(percentile(outcome.latency_ms, 99), 2),
                    "errors": outcome.errors,
                }
            )
    return rows


@contextmanager
def balanced(ports: Sequence[int]) -> Iterator[str]:
    """The address of a balancer in front of servers on these ports."""
    port = free_port()
    command = [sys.executable, "-m", "profiling.bench.balancer", str(port), *map(str, ports)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it prints a line when it listens
        yield f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.communicate()


def table(report: dict[str, Any]) -> str:
    """Markdown: throughput beside that of one instance, latencies, the machine."""
    header = ("instances", "requests", "requests/s", "p50, ms", "p99, ms", "errors", "of one")
    of_one = report["rows"][0]["per_s"]
    rows = [(*map(str, row.values()), f"{row['per_s'] / of_one:.2f}x") for row in report["rows"]]
    note = f"{report['users']} callers at once, {report['seconds']:g} s each."
    return "\n\n".join([markdown(header, rows, 1), note, machine.sentence(report["machine"])])
