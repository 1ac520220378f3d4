"""What do a million requests cost on Cloud Run, and how many are free? Prices: prices.toml.

Three ways to be billed, from what was measured here, a core of this machine standing for a vCPU:

- alone: each request by itself keeps the instance for its own time, rounded up; one in
  `requests_per_start` waits for a cold start, which is billed too.
- busy: requests follow so closely, at the highest rate held, that the instance is never idle.
- kept: instance-based billing at that same rate.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

PRICES = Path(__file__).with_name("prices.toml")
MILLION = 1_000_000


def read_prices() -> dict[str, Any]:
    return tomllib.loads(PRICES.read_text(encoding="utf-8"))


def cost(facts: dict[str, Any], prices: dict[str, Any]) -> dict[str, Any] | None:
    """Dollars and free requests; None when the facts that it is made from were not measured."""
    wanted = ("warm_p50_ms", "first_answer_ms", "held_rate", "memory_mb")
    if any(facts.get(key) is None for key in wanted):
        return None
    request, instance = prices["request_based"], prices["instance_based"]
    memory = memory_gib(facts["memory_mb"], prices)
    rounding = request["rounding_ms"]
    starts_s = _rounded_up(facts["first_answer_ms"], rounding) / prices["requests_per_start"]
    alone_s = _rounded_up(facts["warm_p50_ms"], rounding) + starts_s
    busy_s = 1 / facts["held_rate"]
    month_s = prices["month_hours"] * 3600
    kept = _bill(month_s, 0, memory, prices["vcpu"], instance)
    return {
        "prices": {"date": prices["date"], "source": prices["source"]},
        "memory_gib": memory,
        "vcpu": prices["vcpu"],
        "requests_per_start": prices["requests_per_start"],
        "ways": [
            {"way": "alone", **_way(alone_s, memory, prices["vcpu"], request)},
            {"way": "busy", **_way(busy_s, memory, prices["vcpu"], request)},
            {"way": "kept", **_way(busy_s, memory, prices["vcpu"], instance)},
        ],
        "kept_a_month": round(kept, 2),
        "kept_requests": round(facts["held_rate"] * month_s),
    }


def memory_gib(memory_mb: float, prices: dict[str, Any]) -> float:
    """The smallest memory setting that holds what was measured, with room to spare."""
    wanted = memory_mb * prices["memory_spare"] / 1024
    sizes: list[float] = prices["memory_gib"]
    return next((size for size in sizes if size >= wanted), sizes[-1])


def _way(seconds: float, memory: float, vcpu: float, price: dict[str, Any]) -> dict[str, Any]:
    """`seconds` of billed time per request."""
    free = [
        price["free_vcpu_seconds"] / (seconds * vcpu),
        price["free_gib_seconds"] / (seconds * memory),
        price.get("free_requests", math.inf),
    ]
    million = _bill(MILLION * seconds, MILLION, memory, vcpu, price, free=False)
    return {
        "billed_ms": round(1000 * seconds, 2),
        "million_dollars": round(million, 2),
        "free_requests": int(min(free)),
    }


def _bill(
    seconds: float,
    requests: float,
    memory: float,
    vcpu: float,
    price: dict[str, Any],
    free: bool = True,
) -> float:
    """Dollars for so much billed time of one instance."""
    vcpu_s = max(0.0, seconds * vcpu - free * price["free_vcpu_seconds"])
    gib_s = max(0.0, seconds * memory - free * price["free_gib_seconds"])
    paid = max(0.0, requests - free * price.get("free_requests", 0))
    time = vcpu_s * price["vcpu_second"] + gib_s * price["gib_second"]
    return float(time + paid / MILLION * price.get("million_requests", 0))


def _rounded_up(milliseconds: float, rounding_ms: float) -> float:
    """Seconds billed for a stretch of time."""
    return float(math.ceil(milliseconds / rounding_ms) * rounding_ms / 1000)
