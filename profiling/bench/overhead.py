"""What does a span cost?

    python -m profiling timer

Nanoseconds of processor time per span beside a bare function call, and what the spans of a warm
request cost beside the processor time that the real server spends on it.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from profiling.bench import result
from profiling.percentiles import summarize
from profiling.server import HOST, START_S, ServerError, serving
from profiling.timer import Timer
from tables.text import aligned

CALLS = 1000
"""Per sample; a session in it holds no more spans than a request may have."""
SPANS_PER_SESSION = 20
BUDGET = 0.01
"""The share of a warm request's processor time that its spans may cost."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table or JSON; 1 when the spans cost more than the budget."""
    parser = result.parser("timer", __doc__)
    parser.add_argument("--samples", type=int, default=101, help="default: 101")
    parser.add_argument("--requests", type=int, default=1000, help="warm ones; default: 1000")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.samples < 3 or options.requests < 100:
        parser.error("give at least 3 samples and 100 requests: fewer say nothing")
    try:
        cpu_ms, spans = measure_request(options.bundle, options.requests)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    costs_ns = measure_spans(options.samples)
    share = costs_ns["span"]["median"] * spans / (cpu_ms * 1e6)
    report = {
        "ns": costs_ns,
        "request": {"cpu_ms": cpu_ms, "spans": spans, "n": options.requests},
        "share": share,
        "budget": BUDGET,
    }
    print(json.dumps(report, indent=2) if options.json else table(report))
    result.write("timer", report, table(report), options.out)
    return 0 if share <= BUDGET else 1


def measure_spans(samples: int) -> dict[str, dict[str, float]]:
    """Nanoseconds per call, each kind in turn within every sample, summarized."""
    timer = Timer()
    span = timer.span("span")

    def bare() -> None:
        """Do nothing, which is what a call costs."""

    decorated = span(bare)

    def with_span() -> None:
        with span:
            pass

    def session(work: Callable[[], None], *, detailed: bool) -> Callable[[], None]:
        def run() -> None:
            for _ in range(CALLS // SPANS_PER_SESSION):
                with timer.session(detailed=detailed), span:
                    for _ in range(SPANS_PER_SESSION):
                        work()

        return run

    def outside() -> None:
        for _ in range(CALLS):
            with_span()

    def calls() -> None:
        for _ in range(CALLS):
            bare()

    kinds = {
        "bare call": calls,
        "span": session(with_span, detailed=True),
        "decorated call": session(decorated, detailed=True),
        "span, not sampled": session(with_span, detailed=False),
        "span, no session": outside,
    }
    values_ns: dict[str, list[float]] = {name: [] for name in kinds}
    for sample in range(samples + 1):
        for name, work in kinds.items():
            call_ns = _timed(work) / CALLS
            if sample:  # the first warms up
                values_ns[name].append(call_ns)
    return {name: summarize(values) for name, values in values_ns.items()}


def measure_request(bundle: Path, requests: int) -> tuple[float, int]:
    """Processor milliseconds of a warm request to the real server, and how many spans it has.

    Raises ServerError. All requests go over one connection.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(bundle, Path(folder) / "log") as server,
    ):
        connection = HTTPConnection(HOST, server.port, timeout=START_S)
        for _ in range(100):
            spans = _ask(connection)
        before_s = server.cpu_s()
        for _ in range(requests):
            _ask(connection)
        used_s = server.cpu_s() - before_s
        connection.close()
    return used_s * 1000 / requests, spans


def _timed(work: Callable[[], None]) -> int:
    gc.collect()
    gc.disable()
    try:
        start_ns = time.thread_time_ns()  # of the processor: a busy machine changes little
        work()
        return time.thread_time_ns() - start_ns
    finally:
        gc.enable()


def _ask(connection: HTTPConnection) -> int:
    """How many spans the answer to one text names; raises ServerError."""
    connection.request("POST", "/", json.dumps({"inputs": "boneless chicken breast"}))
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise ServerError(f"the server answered {response.status}")
    return len(response.headers["Server-Timing"].split(", "))


def table(report: dict[str, Any]) -> str:
    """The costs as aligned columns, and their share of a request."""
    request = report["request"]
    rows = [
        (name, f"{cost['median']:.0f}", f"{cost['p95']:.0f}", str(cost["n"]))
        for name, cost in report["ns"].items()
    ]
    lines = aligned([("processor ns per call", "median", "p95", "n"), *rows])
    lines += [
        "",
        f"a warm request: {request['spans']} spans, {request['cpu_ms']:.2f} ms of processor time; "
        f"its spans cost {report['share']:.2%} of it (budget {report['budget']:.0%})",
    ]
    return "\n".join(lines)
