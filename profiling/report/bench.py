"""What does every stage of a report stand on? The server, the texts, and a way to send load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.bundle import Bundle
from profiling.report.load.plan import Outcome, Plan, run_load
from profiling.report.options import Options
from profiling.report.texts import Example
from profiling.server import Server

LOCUST_S = 1.5
"""What starting Locust takes out of the time of every run."""
SHORTEST_S = 0.8
OPEN_USERS = 64
"""Connections of an open run. Cloud Run sends an instance at most 80 requests at once."""
FEWEST = 500
"""Below so many samples p99 rests on fewer than five of them, and is called weak."""
PERCENTILES = (50, 90, 95, 99)
SAMPLE_COLUMNS = ("due", "sent", "first_byte", "done", "status", "question")


@dataclass
class Bench:
    """Shared by the stages of one report."""

    options: Options
    bundle: Bundle
    examples: list[Example]
    folder: Path
    """For logs and other files that nobody keeps."""
    target_ms: float
    """What p99 may reach while a rate counts as held."""
    server: Server
    results: dict[str, Any] = field(default_factory=dict)
    """What earlier stages found."""
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def questions(self, batch: int) -> list[list[str]]:
        """The texts in requests of `batch`; a short rest is left out unless it is all there is."""
        texts = [example.text for example in self.examples]
        repeated = texts * (1 + batch // len(texts)) if len(texts) < batch else texts
        last = len(repeated) - batch + 1
        return [repeated[start : start + batch] for start in range(0, last, batch)]

    def load(self, name: str, seconds: float, batch: int | None = None, **plan: Any) -> Outcome:
        """Send load for about `seconds`, start-up included, and keep its samples as `name`."""
        settings = {
            "address": self.server.address,
            "questions": self.questions(batch or self.options.batch),
            "tasks": self.options.tasks,
            "users": OPEN_USERS if plan.get("rate") else 1,
            "duration_s": max(SHORTEST_S, seconds - LOCUST_S),
            **plan,
        }
        outcome = run_load(Plan(**settings))
        self.samples[name] = {key: getattr(outcome, key) for key in SAMPLE_COLUMNS}
        self.versions |= outcome.versions
        return outcome


def summary(outcome: Outcome) -> dict[str, Any]:
    """One run in a few figures; None where there was no good answer to measure."""
    latency = outcome.latency_ms
    count = len(latency)
    return {
        "samples": count,
        "weak": count < FEWEST,
        "throughput": round(outcome.throughput, 2),
        **percentiles(latency),
        "max_ms": round(float(latency.max()), 3) if count else None,
        "service_p99_ms": percentiles(outcome.service_ms)["p99_ms"],
        "server_p50_ms": percentiles(outcome.spans_ms("request"))["p50_ms"],
        "errors": outcome.errors,
        "unsent": outcome.unsent,
        "faults": outcome.faults,
        "client_cpu_share": round(outcome.client_cpu_s / outcome.window_s, 3)
        if outcome.window_s
        else None,
    }


def percentiles(values: Sequence[float] | Any) -> dict[str, float | None]:
    """{p50_ms, ...}: linear between samples, as numpy has it; None without samples."""
    if not len(values):
        return {f"p{share}_ms": None for share in PERCENTILES}
    found = np.percentile(values, PERCENTILES)
    return {
        f"p{share}_ms": round(float(value), 3)
        for share, value in zip(PERCENTILES, found, strict=True)
    }
