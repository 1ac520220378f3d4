"""What does a span cost?

    python -m profiling timer

Nanoseconds of processor time per span beside a bare function call, and what the spans of a warm
request cost beside the processor time that the real server spends on it.
"""

from __future__ import annotations

import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from profiling.bench import result
from profiling.bench.asking import Caller
from profiling.percentiles import summarize
from profiling.server import ServerError, serving
from profiling.timer import Timer
from tables.text import aligned

TEXT = "boneless chicken breast"
CALLS = 1000
"""Per sample."""
SPANS_PER_SESSION = 20
"""No more than a request may have."""
BUDGET = 0.01
"""The share of a warm request's processor time that its spans may cost."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table; 1 when the spans cost more than the budget."""
    parser = result.parser("timer", __doc__)
    parser.add_argument("--samples", type=int, default=101, help="default: 101")
    parser.add_argument("--requests", type=int, default=1000, help="warm ones; default: 1000")
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
    print(text := table(report))
    result.write("timer", report, text, options.out)
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
            with timer.session(detailed=detailed), span:
                for _ in range(SPANS_PER_SESSION):
                    work()

        return run

    kinds: dict[str, tuple[Callable[[], None], int]] = {
        "bare call": (bare, 1),
        "span": (session(with_span, detailed=True), SPANS_PER_SESSION),
        "decorated call": (session(decorated, detailed=True), SPANS_PER_SESSION),
        "span, not sampled": (session(with_span, detailed=False), SPANS_PER_SESSION),
        "span, no session": (with_span, 1),
    }
    values_ns: dict[str, list[float]] = {name: [] for name in kinds}
    for sample in range(samples + 1):
        for name, (work, calls) in kinds.items():
            # Processor time: a busy machine changes little. timeit holds the collector off.
            used_ns = timeit.timeit(work, timer=time.thread_time_ns, number=CALLS // calls)
            if sample:  # the first warms up
                values_ns[name].append(used_ns / CALLS)
    return {name: summarize(values) for name, values in values_ns.items()}


def measure_request(bundle: Path, requests: int) -> tuple[float, int]:
    """Processor milliseconds of a warm request to the real server, and how many spans it has.

    Raises ServerError. All requests go over one connection.
    """
    with tempfile.TemporaryDirectory() as folder, serving(bundle, Path(folder) / "log") as server:
        with closing(Caller(server.port, server.log)) as caller:
            caller.times_ms(TEXT, 100)
            before_s = server.cpu_s()
            caller.times_ms(TEXT, requests)
            used_s = server.cpu_s() - before_s
        spans = server.ask({"inputs": TEXT}).headers["Server-Timing"].split(", ")
    return used_s * 1000 / requests, len(spans)


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
