"""In which order is it measured, how long does each take, and what if the server fails?

Each stage gets its share of the time that is left, so that a slow one shortens those after it.

A server that died or hung is written down with the stage that it happened in, replaced by a new
one, and the next stage goes on: a report that says so is worth more than none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import psutil

from profiling.report import (
    accuracy,
    batches,
    latency,
    operators,
    payload,
    starts,
)
from profiling.report.bench import Bench
from profiling.report.load.plan import LoadError
from profiling.server import Server, ServerError

Measure = Callable[[Bench, float], dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    name: str
    says: str
    """What a person reads while it runs."""
    share: float
    """Of the whole duration."""
    measure: Measure


STAGES = (
    Stage("starts", "starting from nothing", 0.10, starts.measure),
    Stage("accuracy", "labelled texts", 0.06, accuracy.measure),
    Stage("single", "one caller", 0.08, latency.measure_single),
    Stage("steps", "a rising rate", 0.30, latency.measure_steps),
    Stage("steady", "a steady rate", 0.16, latency.measure_steady),
    Stage("batches", "growing batches", 0.12, batches.measure),
    Stage("payload", "plain and gzip", 0.06, payload.measure),
    Stage("operators", "onnxruntime's profiler", 0.02, operators.measure),
)


def run_stages(
    bench: Bench, stages: Sequence[Stage] = STAGES, stream: TextIO = sys.stderr
) -> dict[str, Any]:
    """{stage: result}; a stage that failed has an `error`, and perhaps nothing else."""
    began_s = time.perf_counter()
    left = sum(stage.share for stage in stages)
    for stage in stages:
        stage_s = time.perf_counter()
        rest_s = max(0.0, began_s + bench.options.duration_s - stage_s)
        seconds = rest_s * stage.share / left
        left -= stage.share
        plan = f"{stage.says}, {seconds:.0f} s of the {rest_s:.0f} s left"
        print(f"{stage.name:>10}: {plan}", file=stream, flush=True)
        result = _run(stage, bench, seconds)
        if "error" in result:
            print(f"{'':>10}  {result['error']}", file=stream, flush=True)
        result["seconds"] = round(time.perf_counter() - stage_s, 1)
        bench.results[stage.name] = result
    print(f"{'':>10}  {time.perf_counter() - began_s:.0f} s in all", file=stream, flush=True)
    return bench.results


def _run(stage: Stage, bench: Bench, seconds: float) -> dict[str, Any]:
    """Measure, then see whether the server is still what it was."""
    result: dict[str, Any] = {}
    problems: list[str] = []
    processes = bench.server.pids()
    try:
        result = stage.measure(bench, seconds)
    except (ServerError, LoadError, RuntimeError, OSError, psutil.Error) as error:
        problems.append(str(error))
    try:
        bench.server.check(processes)
        result["server_memory_mb"] = round(bench.server.memory_mb(), 1)
    except (ServerError, psutil.Error) as error:
        problems.append(str(error))
        _replace(bench)
    if problems:
        result["error"] = f"{stage.says}: {'; '.join(dict.fromkeys(problems))}"
    return result


def _replace(bench: Bench) -> None:
    """A fresh server for the stages to come; raises ServerError when none can be started."""
    bench.server.stop()
    bench.server = Server(bench.bundle.path, bench.folder / f"server{time.time_ns()}.log")
    bench.server.wait_until_listening()
    bench.server.expect("GET", "/ready")
