"""How long does a caller wait when the server is warm, and up to which rate does that hold?

`single` asks one question after another. `steps` drives the server to its limit with a closed
model, then raises the rate of an open one until p99 breaks the target, and halves the gap between
the highest rate that held and the lowest that broke. `steady` runs at one rate for longer.
"""

from __future__ import annotations

from typing import Any

from profiling.report.bench import Bench, summary

FEWEST_STEPS, MOST_STEPS, STEP_S = 3, 12, 6.0
RISING = (0.25, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25)
"""Rates tried first, as shares of what the closed model reached."""


def measure_single(bench: Bench, seconds: float) -> dict[str, Any]:
    """One caller; the waterfall is that of the median request."""
    logged = bench.server.log.stat().st_size
    outcome = bench.load("single", seconds)
    profiles = [line["profile"] for line in bench.server.lines(logged) if "profile" in line]
    return {**summary(outcome), "waterfall": _median_request(profiles)}


def measure_steps(bench: Bench, seconds: float) -> dict[str, Any]:
    """Rates in the order tried, the highest that held, and the closed model's throughput."""
    runs = min(max(int(seconds / STEP_S), FEWEST_STEPS), MOST_STEPS)
    closed = bench.load("closed", seconds / runs, users=bench.options.users)
    reached = closed.throughput
    if not reached:
        raise RuntimeError(f"no request of the closed model was answered: {closed.faults}")
    steps: list[dict[str, Any]] = []
    held, broken = 0.0, None
    for number in range(1, runs):
        rate = _next_rate(reached, number, held, broken)
        if rate is None:
            break
        step = {"rate": round(rate, 2)} | summary(
            bench.load(f"step {number}", seconds / runs, rate=rate, seed=number)
        )
        step["held"] = bool(
            step["p99_ms"] is not None and step["p99_ms"] <= bench.target_ms and not step["errors"]
        )
        if step["held"]:
            held = max(held, rate)
        else:
            broken = min(rate, broken or rate)
        steps.append(step)
    return {
        "target_ms": bench.target_ms,
        "closed": {"users": bench.options.users, **summary(closed)},
        "steps": steps,
        "held": round(held, 1) or None,
        "broken": round(broken, 1) if broken else None,
    }


def measure_steady(bench: Bench, seconds: float) -> dict[str, Any]:
    """The run that the latency figures come from: at --rate, else half of the rate held."""
    steps = bench.results.get("steps", {})
    reached = steps.get("closed", {}).get("throughput") or 10.0
    rate = bench.options.rate or (steps.get("held") or reached / 2) / 2
    before_s = bench.server.cpu_s()
    outcome = bench.load("steady", seconds, rate=rate, seed=99)
    cpu_s = bench.server.cpu_s() - before_s
    result = {"rate": round(rate, 2), "batch": bench.options.batch, **summary(outcome)}
    result["cpu_ms_per_request"] = round(1000 * cpu_s / max(outcome.requests, 1), 3)
    result["messages"] = outcome.messages if bench.options.show_texts else {}
    result["slowest"] = _slowest(bench, outcome) if bench.options.show_texts else []
    return result


def _next_rate(reached: float, number: int, held: float, broken: float | None) -> float | None:
    """The rate to try next, None when the gap is within a twentieth."""
    if broken is None:
        return reached * RISING[min(number, len(RISING)) - 1]
    return None if broken - held < broken / 20 else (held + broken) / 2


def _median_request(profiles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans of the request whose whole took as long as the median one's."""
    warm = [
        profile["spans"]
        for profile in profiles
        if profile["texts"] and not profile["cold"] and profile.get("sampled", True)
    ]
    ranked = sorted(warm, key=lambda spans: max(span["duration_ms"] or 0 for span in spans))
    return ranked[len(ranked) // 2] if ranked else []


def _slowest(bench: Bench, outcome: Any) -> list[dict[str, Any]]:
    ranked = sorted(zip(outcome.latency_ms, _questions(outcome), strict=True), reverse=True)
    texts = bench.questions(bench.options.batch)
    return [{"ms": round(float(ms), 1), "texts": texts[place]} for ms, place in ranked[:5]]


def _questions(outcome: Any) -> list[int]:
    pairs = zip(outcome.question, outcome.good, strict=True)
    return [question for question, good in pairs if good]
