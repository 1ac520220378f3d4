"""What do a million requests cost on Cloud Run, and how many are free? Prices: prices.toml.

Three ways to be billed, from what was measured here, a core of this machine standing for a vCPU:

- alone: each request by itself keeps the instance for its own time, rounded up; one in
  `requests_per_start` waits for a cold start, which is billed too.
- busy: requests follow so closely, at the highest rate held, that the instance is never idle.
- kept: instance-based billing at that same rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from tables.toml_file import Section, read_toml

PRICES = Path(__file__).with_name("prices.toml")
MILLION = 1_000_000
Positive = Annotated[float, Field(gt=0)]
Dollars = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class Billing(Section):
    """What one way of billing charges, and what is free each month."""

    vcpu_second: Dollars
    gib_second: Dollars
    free_vcpu_seconds: float
    free_gib_seconds: float
    million_requests: Dollars = 0.0
    free_requests: float = math.inf
    rounding_ms: Positive = 1.0
    """A stretch of billed time is rounded up to a multiple of this."""


@dataclass(frozen=True)
class Prices(Section):
    """See prices.toml for the meaning of each key."""

    source: str
    date: str
    vcpu: Positive
    memory_gib: Annotated[tuple[Positive, ...], Field(min_length=1)]
    """Settings to choose from, ascending."""
    memory_spare: Positive
    requests_per_start: Annotated[int, Field(gt=0)]
    month_hours: Positive
    request_based: Billing
    instance_based: Billing


def read_prices(path: Path = PRICES) -> Prices:
    """Raises TomlError naming the key that is wrong and what it takes."""
    return read_toml(Prices, path)


def cost(facts: dict[str, Any], prices: Prices) -> dict[str, Any] | None:
    """Dollars and free requests; None when the facts that they follow from were not measured."""
    required = ("warm_p50_ms", "first_answer_ms", "held_rate", "memory_mb")
    if any(facts.get(key) is None for key in required):
        return None
    memory = memory_gib(facts["memory_mb"], prices)
    rounding_ms = prices.request_based.rounding_ms
    start_s = _rounded_up(facts["first_answer_ms"], rounding_ms) / prices.requests_per_start
    alone_s = _rounded_up(facts["warm_p50_ms"], rounding_ms) + start_s
    busy_s = 1 / facts["held_rate"]
    month_s = prices.month_hours * 3600
    ways = (
        ("alone", alone_s, prices.request_based),
        ("busy", busy_s, prices.request_based),
        ("kept", busy_s, prices.instance_based),
    )
    return {
        "prices": {"date": prices.date, "source": prices.source},
        "memory_gib": memory,
        "vcpu": prices.vcpu,
        "requests_per_start": prices.requests_per_start,
        "ways": [
            {"way": way, **_per_request(seconds, memory, prices.vcpu, billing)}
            for way, seconds, billing in ways
        ],
        "kept_a_month": round(_kept_dollars(month_s, memory, prices), 2),
        "kept_requests": round(facts["held_rate"] * month_s),
    }


def memory_gib(memory_mb: float, prices: Prices) -> float:
    """The smallest memory setting that holds what was measured, with room to spare."""
    required = memory_mb * prices.memory_spare / 1024
    return next((size for size in prices.memory_gib if size >= required), prices.memory_gib[-1])


def _per_request(seconds: float, memory: float, vcpu: float, billing: Billing) -> dict[str, Any]:
    """`seconds` of billed time per request."""
    free_requests = min(
        billing.free_vcpu_seconds / (seconds * vcpu),
        billing.free_gib_seconds / (seconds * memory),
        billing.free_requests,
    )
    second = vcpu * billing.vcpu_second + memory * billing.gib_second
    return {
        "billed_ms": round(1000 * seconds, 2),
        "million_dollars": round(MILLION * seconds * second + billing.million_requests, 2),
        "free_requests": int(free_requests),
    }


def _kept_dollars(seconds: float, memory: float, prices: Prices) -> float:
    """Dollars for an instance that is kept for so long, beyond what is free."""
    billing = prices.instance_based
    vcpu_s = max(0.0, seconds * prices.vcpu - billing.free_vcpu_seconds)
    gib_s = max(0.0, seconds * memory - billing.free_gib_seconds)
    return vcpu_s * billing.vcpu_second + gib_s * billing.gib_second


def _rounded_up(milliseconds: float, rounding_ms: float) -> float:
    """Seconds billed for a stretch of time."""
    return math.ceil(milliseconds / rounding_ms) * rounding_ms / 1000
