"""What happened? A log summed up by revision: the numbers behind the tables, the page and the JSON.

Latency is that of answered predictions on a warm instance; cold starts are counted apart.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from profiling.logs.entry import PREDICT, Failure, Record
from profiling.logs.source import Log
from profiling.nesting import innermost
from profiling.percentiles import percentile

SLOWEST = 5
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
    warm_ms: Quantiles | None
    spans_ms: dict[str, Quantiles]
    cold_starts: ColdStarts
    slowest: list[SlowRequest]
    memory: list[MemoryBand]
    errors: ErrorCounts


def by_revision(log: Log) -> list[RevisionSummary]:
    """One summary for each revision, in the order in which they appeared."""
    events: list[Record | Failure] = [*log.records, *log.failures]
    return [
        summarize(
            name,
            [record for record in log.records if record.revision == name],
            [failure for failure in log.failures if failure.revision == name],
        )
        for name in dict.fromkeys(event.revision for event in events)
    ]


def summarize(name: str, records: list[Record], failures: list[Failure]) -> RevisionSummary:
    times = sorted(record.time for record in records if record.time)
    warm = [record for record in records if record.warm]
    predictions = [record for record in records if record.route == PREDICT]
    slowest = heapq.nlargest(SLOWEST, predictions, key=lambda record: record.duration_ms)
    return RevisionSummary(
        revision=name,
        since=times[0].isoformat() if times else None,
        until=times[-1].isoformat() if times else None,
        requests=len(records),
        predictions=sum(record.answered for record in records),
        instances=len({record.instance for record in records}),
        warm_ms=quantiles(record.duration_ms for record in warm),
        spans_ms=span_quantiles(warm),
        cold_starts=_cold_starts(records),
        slowest=[_slow_request(record) for record in slowest],
        memory=_memory(records),
        errors=_errors(records, failures),
    )


def quantiles(values: Iterable[float]) -> Quantiles | None:
    """None when there is no value."""
    array = np.fromiter(values, float)
    if not array.size:
        return None
    return Quantiles(array.size, *(percentile(array, percent) for percent in (50, 95, 99, 100)))


def span_quantiles(records: Sequence[Record]) -> dict[str, Quantiles]:
    """By span, in the order in which they usually start. Equal names in a request add up."""
    durations: dict[str, list[float]] = defaultdict(list)
    starts: dict[str, list[float]] = defaultdict(list)
    for record in records:
        totals: dict[str, float] = defaultdict(float)
        for span in record.spans:
            totals[span.name] += span.duration_ms
            starts[span.name].append(span.start_ms)
        for name, total_ms in totals.items():
            durations[name].append(total_ms)
    order = sorted(starts, key=lambda name: percentile(starts[name], 50))
    return {name: value for name in order if (value := quantiles(durations[name]))}


def _cold_starts(records: list[Record]) -> ColdStarts:
    starts = [record for record in records if record.paid_cold_start]
    counted = sum(record.answered or record.paid_cold_start for record in records)
    return ColdStarts(
        n=len(starts),
        share=len(starts) / counted if counted else 0.0,
        waited=sum(record.cold and not record.paid_cold_start for record in records),
        start_to_answer_ms=quantiles(record.start_to_answer_ms for record in starts),
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
        texts=record.texts,
        tokens=record.tokens,
        longest=longest.name if longest else "",
        longest_ms=longest.duration_ms if longest else 0.0,
        trace=TRACE_URL.format(*trace.groups()) if trace else None,
    )


def _memory(records: list[Record]) -> list[MemoryBand]:
    bands: list[MemoryBand] = []
    for name, (from_s, until_s) in AGES_S.items():
        inside = [record for record in records if from_s <= record.age_s < until_s]
        sizes = quantiles(record.rss_mb for record in inside)
        if sizes is not None:
            instances = len({record.instance for record in inside})
            bands.append(MemoryBand(name, sizes.n, instances, sizes.p50, sizes.max))
    return bands


def _errors(records: list[Record], failures: list[Failure]) -> ErrorCounts:
    server = [record for record in records if record.status >= 500]
    client = [record for record in records if 400 <= record.status < 500]
    messages = Counter(record.message for record in (*server, *client))
    messages.update(failure.message for failure in failures)
    return ErrorCounts(
        requests_4xx=len(client),
        requests_5xx=len(server),
        share_5xx=len(server) / len(records) if records else 0.0,
        other=len(failures),
        messages=dict(messages.most_common(MESSAGES)),
    )
