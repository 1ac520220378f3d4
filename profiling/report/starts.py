"""How long does the first caller wait? The function is started from nothing, again and again.

The files are in the page cache by then: a new machine would have to fetch them first.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from profiling.report.bench import Bench
from profiling.server import Server

FEWEST, MOST = 2, 10
USUAL_S = 1.8


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    """Start as often as the time allows; the waterfall is that of the median start."""
    body = json.dumps({"inputs": bench.examples[0].text}).encode()
    until_s = time.perf_counter() + seconds
    starts: list[dict[str, Any]] = []
    while len(starts) < FEWEST or (len(starts) < MOST and time.perf_counter() + USUAL_S < until_s):
        starts.append(_start(bench, body, len(starts)))
    answers = [start["first_answer_ms"] for start in starts]
    middle = starts[int(np.argsort(answers)[len(answers) // 2])]
    return {
        "starts": len(starts),
        "listening_ms": _median(starts, "listening_ms"),
        "first_answer_ms": _median(starts, "first_answer_ms"),
        "worst_ms": max(answers),
        "cpu_ms": _median(starts, "cpu_ms"),
        "memory_mb": _median(starts, "memory_mb"),
        "all_ms": answers,
        "waterfall": middle,
    }


def _start(bench: Bench, body: bytes, number: int) -> dict[str, Any]:
    server = Server(bench.bundle.path, bench.folder / f"start{number}.log")
    try:
        listening_s = server.wait_until_listening()
        server.expect("POST", "/", body)
        answered_s = time.perf_counter()
        cpu_s, memory_mb = server.cpu_s(), server.memory_mb()
        lines = server.lines()
    finally:
        server.stop()
    answer_ms = 1000 * (answered_s - server.started_s)
    return {
        "listening_ms": round(1000 * (listening_s - server.started_s), 1),
        "first_answer_ms": round(answer_ms, 1),
        "cpu_ms": round(1000 * cpu_s, 1),
        "memory_mb": round(memory_mb, 1),
        "spans": next((line["profile"]["spans"] for line in lines if "profile" in line), []),
    }


def _median(starts: list[dict[str, Any]], key: str) -> float:
    return round(float(np.median([start[key] for start in starts])), 1)
