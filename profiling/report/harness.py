"""What every probe of a report works with: the server, the texts, and a way to send load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.bundle import Bundle
from profiling.percentiles import percentile
from profiling.report.load.plan import Floats, Outcome, Plan, run_load
from profiling.report.options import Options
from profiling.report.texts import Example
from profiling.server import serving

LOCUST_S = 1.5
"""What starting Locust takes out of the time of every run."""
MIN_LOAD_S = 0.8
OPEN_USERS = 64
"""Connections of an open run. Cloud Run sends an instance at most 80 requests at once."""
MIN_SAMPLES = 500
"""Below so many samples p99 rests on fewer than five of them, and is called weak."""
SAMPLE_COLUMNS = ("due", "sent", "first_byte", "done", "status", "question")


@dataclass
class Harness:
    """Shared by the probes of one report. Its server runs until `close`; raises ServerError."""

    options: Options
    bundle: Bundle
    examples: list[Example]
    folder: Path
    """For logs and temporary files."""
    target_ms: float
    """A rate is held while p99 is at most this."""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The results of the probes that ran, by name."""
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The raw samples of every run of load, by name."""
    _servers: ExitStack = field(default_factory=ExitStack, init=False)

    def __post_init__(self) -> None:
        self.replace_server()

    def close(self) -> None:
        """End the server."""
        self._servers.close()

    def replace_server(self) -> None:
        """End the server and start one that is ready; raises ServerError."""
        self._servers.close()
        log = self.folder / f"server-after-{len(self.results)}.log"
        self.server = self._servers.enter_context(serving(self.bundle.path, log))

    def questions(self, batch: int) -> list[list[str]]:
        """The texts in requests of `batch`; a short rest is left out unless it is all there is."""
        texts = [example.text for example in self.examples]
        texts *= math.ceil(batch / len(texts))
        return [texts[start : start + batch] for start in range(0, len(texts) - batch + 1, batch)]

    def load(self, name: str, seconds: float, batch: int | None = None, **plan: Any) -> Outcome:
        """Send load for about `seconds`, start-up included, and keep its samples as `name`.

        `plan` holds fields of Plan. Raises LoadError.
        """
        fields = {
            "address": self.server.address,
            "questions": self.questions(batch or self.options.batch),
            "tasks": self.options.tasks,
            "users": OPEN_USERS if plan.get("rate") else 1,
            "duration_s": max(MIN_LOAD_S, seconds - LOCUST_S),
            **plan,
        }
        outcome = run_load(Plan(**fields))
        self.samples[name] = {column: getattr(outcome, column) for column in SAMPLE_COLUMNS}
        return outcome


def run_summary(outcome: Outcome) -> dict[str, Any]:
    """One run of load in a few figures; None where no request was answered with 200."""
    latency = outcome.latency_ms
    count = len(latency)
    cpu_share = outcome.client_cpu_s / outcome.window_s if outcome.window_s else None
    return {
        "samples": count,
        "weak": count < MIN_SAMPLES,
        "throughput": round(outcome.throughput, 2),
        **{f"p{percent}_ms": percentile_ms(latency, percent) for percent in (50, 90, 95, 99)},
        "max_ms": round(float(latency.max()), 3) if count else None,
        "service_p99_ms": percentile_ms(outcome.service_ms, 99),
        "server_p50_ms": percentile_ms(outcome.spans_ms("request"), 50),
        "errors": outcome.errors,
        "unsent": outcome.unsent,
        "faults": outcome.faults,
        "client_cpu_share": None if cpu_share is None else round(cpu_share, 3),
    }


def percentile_ms(values: Sequence[float] | Floats, percent: float) -> float | None:
    """None without values."""
    return round(percentile(values, percent), 3) if len(values) else None
