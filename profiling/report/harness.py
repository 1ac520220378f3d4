"""What every probe of a report works with: the server, the texts, and a way to send load."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
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
PERCENTILES = (50, 90, 95, 99)
SAMPLE_COLUMNS = ("due", "sent", "first_byte", "done", "status", "question")


class Harness:
    """Shared by the probes of one report. Its server runs until `close`."""

    def __init__(
        self,
        options: Options,
        bundle: Bundle,
        examples: list[Example],
        folder: Path,
        target_ms: float,
    ) -> None:
        """Start the server; raises ServerError.

        `folder` takes logs and temporary files. A rate is held while p99 is at most `target_ms`.
        """
        self.options = options
        self.bundle = bundle
        self.examples = examples
        self.folder = folder
        self.target_ms = target_ms
        self.results: dict[str, dict[str, Any]] = {}
        """The results of the probes that ran, by name."""
        self.samples: dict[str, dict[str, Any]] = {}
        """The raw samples of every run of load, by name."""
        self._servers = ExitStack()
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
        repeated = texts * (1 + batch // len(texts)) if len(texts) < batch else texts
        last = len(repeated) - batch + 1
        return [repeated[start : start + batch] for start in range(0, last, batch)]

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
        **percentiles(latency),
        "max_ms": round(float(latency.max()), 3) if count else None,
        "service_p99_ms": percentiles(outcome.service_ms)["p99_ms"],
        "server_p50_ms": percentiles(outcome.spans_ms("request"))["p50_ms"],
        "errors": outcome.errors,
        "unsent": outcome.unsent,
        "faults": outcome.faults,
        "client_cpu_share": None if cpu_share is None else round(cpu_share, 3),
    }


def percentiles(values: Sequence[float] | Floats) -> dict[str, float | None]:
    """{p50_ms, p90_ms, p95_ms, p99_ms}; None without values."""
    return {
        f"p{percent}_ms": round(percentile(values, percent), 3) if len(values) else None
        for percent in PERCENTILES
    }
