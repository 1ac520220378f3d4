"""Do more instances carry more? One, two and three of them behind one address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from profiling.report.harness import Harness, run_summary
from profiling.server import HOST, ROOT, free_port, serving

COUNTS = (1, 2, 3)
START_S = 2.0


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """Throughput and latency of the closed model, by number of instances."""
    rows = []
    with ExitStack() as stack:
        ports = [
            stack.enter_context(
                serving(harness.bundle.path, harness.folder / f"instance{count}.log")
            ).port
            for count in COUNTS
        ]
        for count in COUNTS:
            with balanced(ports[:count]) as address:
                outcome = harness.load(
                    f"instances {count}",
                    seconds / len(COUNTS) - START_S,
                    users=harness.options.users,
                    address=address,
                )
            rows.append({"instances": count, **run_summary(outcome)})
    return {"users": harness.options.users, "rows": rows}


@contextmanager
def balanced(ports: list[int]) -> Iterator[str]:
    """The address of a balancer in front of servers on these ports."""
    port = free_port()
    command = [sys.executable, "-m", "profiling.bench.balancer", str(port), *map(str, ports)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it says that it listens
        yield f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.communicate()
