"""How long does the first caller wait? The function is started from nothing, again and again.

The files are in the page cache by then: a new machine would have to fetch them first.
"""

from __future__ import annotations

import json
import time
from typing import Any

from profiling.percentiles import percentile
from profiling.report.harness import Harness
from profiling.server import listening

MIN_STARTS, MAX_STARTS = 2, 10
START_S = 1.8
"""Usual duration of a start and its end."""


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """Start as often as the time allows; the waterfall is that of the median start."""
    body = json.dumps({"inputs": harness.examples[0].text}).encode()
    until_s = time.perf_counter() + seconds - START_S
    starts: list[dict[str, Any]] = []
    while len(starts) < MIN_STARTS or (len(starts) < MAX_STARTS and time.perf_counter() < until_s):
        starts.append(_start(harness, body, len(starts)))
    columns = ("listening_ms", "first_answer_ms", "cpu_ms", "memory_mb")
    medians = {key: round(percentile([start[key] for start in starts], 50), 1) for key in columns}
    ranked = sorted(starts, key=lambda start: float(start["first_answer_ms"]))
    return {
        "starts": len(starts),
        **medians,
        "worst_ms": ranked[-1]["first_answer_ms"],
        "all_ms": [start["first_answer_ms"] for start in starts],
        "waterfall": ranked[len(ranked) // 2],
    }


def _start(harness: Harness, body: bytes, number: int) -> dict[str, Any]:
    with listening(harness.bundle.path, harness.folder / f"start{number}.log") as server:
        listening_s = time.perf_counter()
        server.expect("POST", "/", body)
        answered_s = time.perf_counter()
        cpu_s, memory_mb = server.cpu_s(), server.memory_mb()
        lines = server.lines()
    return {
        "listening_ms": round(1000 * (listening_s - server.started_s), 1),
        "first_answer_ms": round(1000 * (answered_s - server.started_s), 1),
        "cpu_ms": round(1000 * cpu_s, 1),
        "memory_mb": round(memory_mb, 1),
        "spans": next((line["profile"]["spans"] for line in lines if "profile" in line), []),
    }
