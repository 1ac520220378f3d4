"""What does a span cost?

    python -m profiling timer

Nanoseconds of processor time per span beside a bare function call, and what the spans of a warm
request cost beside the processor time that the real server spends on it.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from function.settings import SHIPPED_BUNDLE
from profiling.server import START_S, Server
from profiling.timer import Timer

CALLS = 1000
"""Per sample; a session in it holds no more spans than a request may have."""
SPANS_PER_SESSION = 20
BUDGET = 0.01
"""The share of a warm request's processor time that its spans may cost."""


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table or JSON; 1 when the spans cost more than the budget."""
    parser = argparse.ArgumentParser("python -m profiling timer", description=__doc__)
    parser.add_argument("--samples", type=int, default=101, help="default: 101")
    parser.add_argument("--requests", type=int, default=1000, help="warm ones; default: 1000")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.samples < 3 or options.requests < 100:
        parser.error("give at least 3 samples and 100 requests: fewer say nothing")
    costs_ns = measure_spans(options.samples)
    cpu_ms, spans = measure_request(options.requests)
    share = costs_ns["span"]["median"] * spans / (cpu_ms * 1e6)
    document = {
        "ns": costs_ns,
        "request": {"cpu_ms": cpu_ms, "spans": spans, "n": options.requests},
        "share": share,
        "budget": BUDGET,
    }
    print(json.dumps(document, indent=2) if options.json else _table(document))
    return 0 if share <= BUDGET else 1


def measure_spans(samples: int) -> dict[str, dict[str, float]]:
    """Nanoseconds per call, each kind in turn within every sample: median, p95 and n."""
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
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for sample in range(samples + 1):
        for name, work in kinds.items():
            took_ns = _timed(work)
            if sample:  # the first warms up
                found[name].append(took_ns / CALLS)
    return {
        name: {
            "median": statistics.median(values),
            "p95": statistics.quantiles(values, n=20, method="inclusive")[-1],
            "n": len(values),
        }
        for name, values in found.items()
    }


def measure_request(requests: int) -> tuple[float, int]:
    """Processor milliseconds of a warm request to the real server, and how many spans it has."""
    with _server() as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)
        for _ in range(100):
            spans = _ask(connection)
        before_s = _cpu_s(process)
        for _ in range(requests):
            _ask(connection)
        took_s = _cpu_s(process) - before_s
        connection.close()
    return took_s * 1000 / requests, spans


def _timed(work: Callable[[], None]) -> int:
    gc.collect()
    gc.disable()
    try:
        began_ns = time.thread_time_ns()  # of the processor: a busy machine changes little
        work()
        return time.thread_time_ns() - began_ns
    finally:
        gc.enable()


def _ask(connection: http.client.HTTPConnection) -> int:
    connection.request("POST", "/", json.dumps({"inputs": "boneless chicken breast"}))
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the server answered {answer.status}")
    return len(answer.headers["Server-Timing"].split(", "))


def _cpu_s(process: psutil.Process) -> float:
    times = [it.cpu_times() for it in (process, *process.children(recursive=True))]
    return float(sum(it.user + it.system for it in times))


@contextmanager
def _server() -> Iterator[tuple[psutil.Process, int]]:
    """A server with the shipped bundle on a free port; its log is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(SHIPPED_BUNDLE, Path(folder) / "log")
        try:
            server.wait_until_listening()
            yield psutil.Process(server.pid), server.port
        finally:
            server.stop()


def _table(document: dict[str, object]) -> str:
    costs, request = document["ns"], document["request"]
    assert isinstance(costs, dict)
    assert isinstance(request, dict)
    lines = [f"{'processor ns per call':<22}{'median':>10}{'p95':>10}{'n':>6}"]
    for name, cost in costs.items():
        lines.append(f"{name:<22}{cost['median']:>10.0f}{cost['p95']:>10.0f}{cost['n']:>6}")
    lines.append("")
    lines.append(
        f"a warm request: {request['spans']} spans, {request['cpu_ms']:.2f} ms of processor time; "
        f"its spans cost {document['share']:.2%} of it (budget {document['budget']:.0%})"
    )
    return "\n".join(lines)
