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

from tables.toml_file import Section

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

    def rounded_up_s(self, milliseconds: float) -> float:
        """Seconds billed for a stretch of time."""
        return math.ceil(milliseconds / self.rounding_ms) * self.rounding_ms / 1000

    def dollars(self, vcpu_s: float, gib_s: float) -> float:
        return vcpu_s * self.vcpu_second + gib_s * self.gib_second


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


def cost(facts: dict[str, Any], prices: Prices) -> dict[str, Any] | None:
    """Dollars and free requests; None when the facts that they follow from were not measured."""
    required = ("warm_p50_ms", "first_answer_ms", "held_rate", "memory_mb")
    if any(facts.get(key) is None for key in required):
        return None
    by_request, by_instance = prices.request_based, prices.instance_based
    memory = memory_gib(facts["memory_mb"], prices)
    start_s = by_request.rounded_up_s(facts["first_answer_ms"]) / prices.requests_per_start
    alone_s = by_request.rounded_up_s(facts["warm_p50_ms"]) + start_s
    busy_s = 1 / facts["held_rate"]
    month_s = prices.month_hours * 3600
    month_dollars = by_instance.dollars(
        max(0.0, month_s * prices.vcpu - by_instance.free_vcpu_seconds),
        max(0.0, month_s * memory - by_instance.free_gib_seconds),
    )
    return {
        "prices": {"date": prices.date, "source": prices.source},
        "memory_gib": memory,
        "vcpu": prices.vcpu,
        "requests_per_start": prices.requests_per_start,
        "ways": [
            {"way": "alone", **_per_request(by_request, alone_s, prices.vcpu, memory)},
            {"way": "busy", **_per_request(by_request, busy_s, prices.vcpu, memory)},
            {"way": "kept", **_per_request(by_instance, busy_s, prices.vcpu, memory)},
        ],
        "kept_a_month": round(month_dollars, 2),
        "kept_requests": round(facts["held_rate"] * month_s),
    }


def memory_gib(memory_mb: float, prices: Prices) -> float:
    """The smallest memory setting that holds what was measured, with room to spare."""
    required = memory_mb * prices.memory_spare / 1024
    return next((size for size in prices.memory_gib if size >= required), prices.memory_gib[-1])


def _per_request(billing: Billing, seconds: float, vcpu: float, gib: float) -> dict[str, Any]:
    """`seconds` of billed time per request."""
    vcpu_s, gib_s = seconds * vcpu, seconds * gib
    free_requests = min(
        billing.free_vcpu_seconds / vcpu_s, billing.free_gib_seconds / gib_s, billing.free_requests
    )
    million_dollars = MILLION * billing.dollars(vcpu_s, gib_s) + billing.million_requests
    return {
        "billed_ms": round(1000 * seconds, 2),
        "million_dollars": round(million_dollars, 2),
        "free_requests": int(free_requests),
    }
