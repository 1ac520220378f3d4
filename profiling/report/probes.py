"""In which order is it measured, how long does each probe take, and what if the server fails?

Each probe gets its share of the time that is left, so that a slow one shortens those after it.

A server that died or hung is written down with the probe in which it happened and replaced by a
new one, and the next probe runs: a report that says so is worth more than none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from profiling.report import accuracy, batch_sizes, latency, operators, starts
from profiling.report.harness import Harness
from profiling.report.load.plan import LoadError
from profiling.server import ServerError


@dataclass(frozen=True)
class Probe:
    """One part of the report; its result stands under `stages` in report.json."""

    name: str
    description: str
    """Shown to the person while it runs."""
    share: float
    """Of the whole duration, relative to the other probes' shares."""
    measure: Callable[[Harness, float], dict[str, Any]]


PROBES = (
    Probe("starts", "starting from nothing", 0.10, starts.measure),
    Probe("accuracy", "labelled texts", 0.06, accuracy.measure),
    Probe("single", "one caller", 0.08, latency.measure_single),
    Probe("steps", "a rising rate", 0.30, latency.measure_steps),
    Probe("steady", "a steady rate", 0.16, latency.measure_steady),
    Probe("batches", "growing batches", 0.12, batch_sizes.measure_batches),
    Probe("payload", "plain and gzip", 0.06, batch_sizes.measure_payload),
    Probe("operators", "onnxruntime's profiler", 0.02, operators.measure),
)


def run_probes(harness: Harness, probes: Sequence[Probe] = PROBES) -> None:
    """Fill `harness.results`; a probe that failed has an `error`, and perhaps nothing else."""
    began_s = time.perf_counter()
    shares_left = sum(probe.share for probe in probes)
    for probe in probes:
        probe_began_s = time.perf_counter()
        left_s = max(0.0, began_s + harness.options.duration_s - probe_began_s)
        seconds = left_s * probe.share / shares_left
        shares_left -= probe.share
        plan = f"{probe.description}, {seconds:.0f} s of the {left_s:.0f} s left"
        print(f"{probe.name:>10}: {plan}", file=sys.stderr)
        result = _run(probe, harness, seconds)
        if "error" in result:
            print(f"{'':>10}  {result['error']}", file=sys.stderr)
        result["seconds"] = round(time.perf_counter() - probe_began_s, 1)
        harness.results[probe.name] = result
    print(f"{'':>10}  {time.perf_counter() - began_s:.0f} s in all", file=sys.stderr)


def _run(probe: Probe, harness: Harness, seconds: float) -> dict[str, Any]:
    """Measure, then check the server; raises ServerError when no new one can be started."""
    result: dict[str, Any] = {}
    problems: list[str] = []
    pids_before = harness.server.pids()
    try:
        result = probe.measure(harness, seconds)
    except (ServerError, LoadError, RuntimeError, OSError, psutil.Error) as error:
        problems.append(str(error))
    try:
        harness.server.check(pids_before)
        result["server_memory_mb"] = round(harness.server.memory_mb(), 1)
    except (ServerError, psutil.Error) as error:
        problems.append(str(error))
        harness.replace_server()
    if problems:
        result["error"] = f"{probe.description}: {'; '.join(dict.fromkeys(problems))}"
    return result
