"""What happened? A log summed up by revision: the numbers behind the tables, the page and the JSON.

Latency is that of answered predictions on a warm instance; cold starts are counted apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from profiling.logs.entry import Record
from profiling.logs.selection import Requests
from profiling.logs.source import Log
from profiling.nesting import innermost
from profiling.percentiles import percentile

MESSAGES = 10
TRACE = re.compile(r"projects/([^/]+)/traces/([^/]+)")
TRACE_URL = "https://console.cloud.google.com/traces/list?project={}&tid={}"
AGES_S = {
    "under 1 min": (0, 60), "1 to 10 min": (60, 600), "10 to 60 min": (600, 3600),
    "over 1 h": (3600, float("inf")),
}  # fmt: skip
"""Bands of an instance's age: from and until before, in seconds."""
NOT_WORK = ("framework", "idle", "request")
"""Spans that are not one piece of the function's work: Python's start, waiting, the whole."""


@dataclass(frozen=True)
class Quantiles:
    n: int
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True)
class ColdStarts:
    n: int
    share: float
    """Of the answered predictions and the probes that paid for one."""
    waited: int
    """Requests that waited for another's cold start."""
    start_to_answer_ms: Quantiles | None
    """From the start of the process to the answer, without waiting for a request."""
    spans_ms: dict[str, Quantiles]


@dataclass(frozen=True)
class SlowRequest:
    time: str | None
    duration_ms: float
    cold: bool
    restart: bool
    """The process was started in the place of one that was killed."""
    texts: int
    tokens: int
    longest: str
    """Name of the longest span that holds no other, of the request or the start it goes on from."""
    longest_ms: float
    trace: str | None
    """Address of the trace in the console."""


@dataclass(frozen=True)
class MemoryBand:
    age: str
    n: int
    instances: int
    p50_mb: float
    max_mb: float


@dataclass(frozen=True)
class ErrorCounts:
    requests_4xx: int
    requests_5xx: int
    share_5xx: float
    other: int
    """Entries of severity ERROR that no request wrote."""
    messages: dict[str, int]


@dataclass(frozen=True)
class RevisionSummary:
    revision: str
    since: str | None
    until: str | None
    requests: int
    predictions: int
    instances: int
    restarts: int
    """Processes that were started in the place of one that was killed; no cold starts."""
    lines_lost: int
    """Lines that the function could not write."""
    warm_ms: Quantiles | None
    spans_ms: dict[str, Quantiles]
    cold_starts: ColdStarts
    slowest: list[SlowRequest]
    memory: list[MemoryBand]
    errors: ErrorCounts


def by_revision(log: Log) -> list[RevisionSummary]:
    """One summary for each revision, in the order in which they appeared."""
    failed = [revision for revision, _ in log.failures]
    return [
        summarize(
            name,
            log.requests.of_revision(name),
            log.slowest.of_revision(name),
            Counter({message: n for (of, message), n in log.failures.items() if of == name}),
        )
        for name in dict.fromkeys([*log.requests.revisions, *failed])
    ]


def summarize(
    name: str, requests: Requests, slowest: Sequence[Record], failures: Counter[str]
) -> RevisionSummary:
    warm = requests.where(requests["warm"])
    period = requests.period
    return RevisionSummary(
        revision=name,
        since=period[0].isoformat() if period else None,
        until=period[1].isoformat() if period else None,
        requests=len(requests),
        predictions=int(requests["answered"].sum()),
        instances=requests.instances,
        restarts=requests.where(requests["restart"]).instances,
        lines_lost=int(requests["lines_lost"].sum()),
        warm_ms=quantiles(warm["duration_ms"]),
        spans_ms=span_quantiles(warm),
        cold_starts=_cold_starts(requests),
        slowest=[_slow_request(record) for record in slowest],
        memory=_memory(requests),
        errors=_errors(requests, failures),
    )


def quantiles(values: ArrayLike) -> Quantiles | None:
    """None when there is no value."""
    array = np.asarray(values, np.float64)
    if not array.size:
        return None
    return Quantiles(array.size, *map(float, np.percentile(array, (50, 95, 99, 100))))


def span_quantiles(requests: Requests) -> dict[str, Quantiles]:
    """By span, in the order in which they usually start. Equal names in a request add up."""
    starts_ms: dict[str, float] = {}
    totals_ms: dict[str, Quantiles] = {}
    for name in requests.span_names:
        column = requests.span(name)
        totals = quantiles(column.totals_ms)
        assert totals is not None
        starts_ms[name], totals_ms[name] = percentile(column.starts_ms, 50), totals
    return {name: totals_ms[name] for name in sorted(starts_ms, key=lambda name: starts_ms[name])}


def _cold_starts(requests: Requests) -> ColdStarts:
    cold, paid, restart = (requests[name] for name in ("cold", "paid_cold_start", "restart"))
    starts = requests.where(paid)
    counted = int((requests["answered"] | paid).sum())
    return ColdStarts(
        n=len(starts),
        share=len(starts) / counted if counted else 0.0,
        waited=int((cold & ~paid & ~restart).sum()),
        start_to_answer_ms=quantiles(starts["start_to_answer_ms"]),
        spans_ms=span_quantiles(starts),
    )


def _slow_request(record: Record) -> SlowRequest:
    trace = TRACE.fullmatch(record.trace or "")
    work = [span for span in innermost(record.spans) if span.name not in NOT_WORK]
    longest = max(work, key=lambda span: span.duration_ms, default=None)
    return SlowRequest(
        time=record.time.isoformat() if record.time else None,
        duration_ms=record.duration_ms,
        cold=record.cold,
        restart=record.restart,
        texts=record.texts,
        tokens=record.tokens,
        longest=longest.name if longest else "",
        longest_ms=longest.duration_ms if longest else 0.0,
        trace=TRACE_URL.format(*trace.groups()) if trace else None,
    )


def _memory(requests: Requests) -> list[MemoryBand]:
    ages_s = requests["age_s"]
    bands: list[MemoryBand] = []
    for name, (from_s, until_s) in AGES_S.items():
        inside = requests.where((from_s <= ages_s) & (ages_s < until_s))
        sizes = quantiles(inside["rss_mb"])
        if sizes is not None:
            bands.append(MemoryBand(name, sizes.n, inside.instances, sizes.p50, sizes.max))
    return bands


def _errors(requests: Requests, failures: Counter[str]) -> ErrorCounts:
    status = requests["status"]
    server = requests.where(status >= 500)
    client = requests.where((status >= 400) & (status < 500))
    messages = Counter(server.failed_messages())
    messages.update(client.failed_messages())
    messages.update(failures)
    return ErrorCounts(
        requests_4xx=len(client),
        requests_5xx=len(server),
        share_5xx=len(server) / len(requests) if len(requests) else 0.0,
        other=failures.total(),
        messages=dict(messages.most_common(MESSAGES)),
    )
