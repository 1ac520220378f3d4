"""What load is sent, and what came of it? A Plan goes into Locust's own process, an Outcome back.

    outcome = run_load(Plan("http://127.0.0.1:8080", [["raw honey"]], rate=20, duration_s=10))
    np.percentile(outcome.latency_ms, 99)

With a `rate` the model is open: arrivals are Poisson, fixed in advance, and a latency counts from
the moment at which its request was due, so that a server that stalls cannot hide it by keeping
the next request waiting. Without one it is closed: each user sends as soon as it has its answer.

Locust replaces sockets and threads by gevent's the moment it is imported, so it runs in a process
of its own: `python -m profiling.report.load`, a Plan as JSON in, an Outcome as JSON out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiling.server import ROOT

SLACK_S = 30.0
"""What starting Locust and reading the last answers may take on top of a plan."""
SPAN = re.compile(r"([^\s,;]+)\s*;\s*dur=([\d.]+)")
Floats = NDArray[np.float64]


class LoadError(RuntimeError):
    """Locust itself failed; the message ends with its own."""


@dataclass(frozen=True)
class Plan:
    """One stretch of load. Requests cycle through `questions`, one request each."""

    address: str
    questions: list[list[str]]
    rate: float | None = None
    """Requests due per second; None: the closed model."""
    users: int = 1
    """Connections. In the open model, the most requests that can be on their way at once."""
    pause_s: float = 0.0
    """In the closed model, a user's mean pause after an answer, drawn anew each time."""
    duration_s: float = 10.0
    warmup_s: float = 0.5
    """Load before the duration; its samples are thrown away."""
    requests: int | None = None
    """Stop after so many, however much time is left."""
    tasks: list[str] | None = None
    gzip: bool = False
    """Compress requests and ask for compressed answers."""
    keep_answers: bool = False
    timeout_s: float = 5.0
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """Every sample after the warm-up as columns, in the order in which the requests ended.

    Times are milliseconds since the first request could be due, -1 for what never happened; in the
    closed model `due` is `sent`.
    """

    due: list[float]
    sent: list[float]
    first_byte: list[float]
    done: list[float]
    status: list[int]
    """0: no answer; `faults` says why."""
    question: list[int]
    request_bytes: list[int]
    response_bytes: list[int]
    """Bytes of the body as it travelled."""
    encode_ms: list[float]
    decode_ms: list[float]
    """The client's own time to make the request's body and to read the answer's."""
    server: list[str]
    """The Server-Timing header."""
    answers: list[Any]
    """The decoded bodies; None where the plan does not keep them and where there is none."""
    faults: dict[str, int]
    """How often each fault occurred, by the error's code or the name of an exception."""
    messages: dict[str, str]
    """One message for each of the faults; it may quote a text."""
    window_s: float = 0.0
    """From the end of the warm-up to the last answer."""
    client_cpu_s: float = 0.0
    """Processor time of the load generator in that window."""
    requests: int = 0
    """Requests sent, warm-up included."""
    unsent: int = 0
    """Requests due but never sent, since every connection was busy to the end."""

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        return np.equal(self.status, 200)

    @property
    def latency_ms(self) -> Floats:
        """From due to the answer's last byte, of the requests that were answered with 200."""
        return self._since(self.due)

    @property
    def service_ms(self) -> Floats:
        """The same from the moment of sending: what a generator that waits would report."""
        return self._since(self.sent)

    @property
    def errors(self) -> int:
        return int(np.sum(~self.good)) + self.unsent

    @property
    def throughput(self) -> float:
        """Good answers per second."""
        return float(self.good.sum() / self.window_s) if self.window_s else 0.0

    def spans_ms(self, name: str) -> Floats:
        """Durations of a span by the server's own clock, of the good answers that name it."""
        headers = (server_timing(header) for header in np.asarray(self.server)[self.good])
        return np.asarray([spans[name] for spans in headers if name in spans])

    def _since(self, moments: list[float]) -> Floats:
        return np.subtract(self.done, moments, dtype=float)[self.good]


def server_timing(header: str) -> dict[str, float]:
    """{span: ms} of a Server-Timing header; of spans that share a name, the sum."""
    spans: defaultdict[str, float] = defaultdict(float)
    for name, milliseconds in SPAN.findall(header):
        spans[name] += float(milliseconds)
    return dict(spans)


def arrivals_s(plan: Plan) -> list[float]:
    """When requests are due, in seconds since the first may be: a Poisson process."""
    if plan.rate is None:
        return []
    end_s = plan.warmup_s + plan.duration_s
    random = np.random.default_rng(plan.seed)
    count = int(plan.rate * end_s * 1.5 + 100)
    due = np.cumsum(random.exponential(1 / plan.rate, count))
    arrivals: list[float] = due[due < end_s][: plan.requests].tolist()
    return arrivals


def run_load(plan: Plan) -> Outcome:
    """Send the load and wait for the end of it; raises LoadError."""
    try:
        process = subprocess.run(
            [sys.executable, "-m", "profiling.report.load"],
            input=json.dumps(asdict(plan)),
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=plan.warmup_s + plan.duration_s + plan.timeout_s + SLACK_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"Locust did not end within {error.timeout:.0f} s") from None
    if process.returncode:
        raise LoadError(f"Locust failed: {process.stderr.strip()[-500:]}")
    return Outcome(**json.loads(process.stdout.splitlines()[-1]))
