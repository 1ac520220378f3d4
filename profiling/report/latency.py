"""How long does a caller wait when the server is warm, and up to which rate does that hold?

`single` sends one request after another. `steps` drives the server to its limit with a closed
model, then raises the rate of an open one until p99 breaks the target, and halves the gap between
the highest rate that held and the lowest that broke. `steady` runs at one rate for longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.report.harness import Harness, run_summary
from profiling.report.load.plan import Outcome

MIN_RUNS, MAX_RUNS, RUN_S = 3, 12, 6.0
RISING = (0.25, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25)
"""Rates tried first, as shares of what the closed model reached."""
SLOWEST = 5


def measure_single(harness: Harness, seconds: float) -> dict[str, Any]:
    """One caller; the waterfall is that of the median request."""
    log_bytes = harness.server.log.stat().st_size
    outcome = harness.load("single", seconds)
    profiles = [line["profile"] for line in harness.server.lines(log_bytes) if "profile" in line]
    return {**run_summary(outcome), "waterfall": _median_request(profiles)}


def measure_steps(harness: Harness, seconds: float) -> dict[str, Any]:
    """Rates in the order tried, the highest that held, and the closed model's throughput."""
    runs = min(max(int(seconds / RUN_S), MIN_RUNS), MAX_RUNS)
    closed = harness.load("closed", seconds / runs, users=harness.options.users)
    if not closed.throughput:
        raise RuntimeError(f"no request of the closed model was answered: {closed.faults}")
    steps: list[dict[str, Any]] = []
    held, broken = 0.0, None
    for number in range(1, runs):
        rate = _next_rate(closed.throughput, number, held, broken)
        if rate is None:
            break
        outcome = harness.load(f"step {number}", seconds / runs, rate=rate, seed=number)
        step = {"rate": round(rate, 2)} | run_summary(outcome)
        p99_ms = step["p99_ms"]
        step["held"] = p99_ms is not None and p99_ms <= harness.target_ms and not step["errors"]
        steps.append(step)
        if step["held"]:  # every rate lies between the two
            held = rate
        else:
            broken = rate
    return {
        "target_ms": harness.target_ms,
        "closed": {"users": harness.options.users, **run_summary(closed)},
        "steps": steps,
        "held": round(held, 1) or None,
        "broken": round(broken, 1) if broken else None,
    }


def measure_steady(harness: Harness, seconds: float) -> dict[str, Any]:
    """The run that the latency figures come from: at --rate, else half of the rate held."""
    options, steps = harness.options, harness.results.get("steps", {})
    reached = steps.get("closed", {}).get("throughput") or 10.0
    rate = options.rate or (steps.get("held") or reached / 2) / 2
    cpu_before_s = harness.server.cpu_s()
    outcome = harness.load("steady", seconds, rate=rate, seed=99)
    cpu_s = harness.server.cpu_s() - cpu_before_s
    return {
        "rate": round(rate, 2),
        "batch": options.batch,
        **run_summary(outcome),
        "cpu_ms_per_request": round(1000 * cpu_s / max(outcome.requests, 1), 3),
        "messages": outcome.messages if options.show_texts else {},
        "slowest": _slowest(harness, outcome) if options.show_texts else [],
    }


def _next_rate(reached: float, number: int, held: float, broken: float | None) -> float | None:
    """The rate to try next, None when the gap is within a twentieth."""
    if broken is None:
        return reached * RISING[min(number, len(RISING)) - 1]
    return None if broken - held < broken / 20 else (held + broken) / 2


def _median_request(profiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans of the warm request with the median duration."""
    warm = [
        profile["spans"]
        for profile in profiles
        if profile["texts"] and not profile["cold"] and profile.get("sampled", True)
    ]
    warm.sort(key=lambda spans: max(span["duration_ms"] or 0 for span in spans))
    return warm[len(warm) // 2] if warm else []


def _slowest(harness: Harness, outcome: Outcome) -> list[dict[str, Any]]:
    latency_ms, texts = outcome.latency_ms, harness.questions(harness.options.batch)
    question = np.asarray(outcome.question)[outcome.good]
    slowest = np.argsort(latency_ms)[: -SLOWEST - 1 : -1]
    return [{"ms": round(float(latency_ms[at]), 1), "texts": texts[question[at]]} for at in slowest]
