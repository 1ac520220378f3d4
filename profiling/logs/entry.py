"""What does one log line say?

It is the function's own line, or the LogEntry that Cloud Logging makes of it. A LogEntry (from
`gcloud logging read --format json`, or the client library) holds the line as `jsonPayload`, and
has moved severity, time and trace to fields of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from profiling.nesting import LoggedSpan, read_spans

TRACE = "logging.googleapis.com/trace"
ERRORS = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
PREDICT = "POST /"
"""The route whose latency is the service's."""
COLD_START_SPANS = ("framework", "load")
"""A cold request with one of these paid for the cold start; other cold requests waited for it."""


@dataclass(frozen=True)
class Record:
    """One request."""

    time: datetime | None
    message: str
    route: str
    status: int
    cold: bool
    duration_ms: float
    spans: tuple[LoggedSpan, ...]
    """Those that were closed, by start."""
    texts: int
    tokens: int
    rss_mb: float
    revision: str
    instance: str
    age_s: float
    trace: str | None
    """`projects/PROJECT/traces/ID`."""

    @property
    def answered(self) -> bool:
        return self.route == PREDICT and self.status == 200

    @property
    def warm(self) -> bool:
        return self.answered and not self.cold

    @property
    def paid_cold_start(self) -> bool:
        return self.cold and any(span.name in COLD_START_SPANS for span in self.spans)

    @property
    def start_to_answer_ms(self) -> float:
        """From the start of the server to this answer, without waiting for the request."""
        idle_ms = sum(span.duration_ms for span in self.spans if span.name == "idle")
        request = next((span for span in self.spans if span.name == "request"), None)
        if request is None:
            return self.duration_ms
        return request.end_ms - self.spans[0].start_ms - idle_ms


@dataclass(frozen=True)
class Failure:
    """An entry of severity ERROR or worse that no request wrote: a crash, or the platform's."""

    time: datetime | None
    message: str
    revision: str


def read_entry(entry: Mapping[str, Any]) -> Record | Failure | None:
    """The request or failure in a line or LogEntry; None when it is neither."""
    payload = entry.get("jsonPayload", entry)
    if not isinstance(payload, Mapping):
        return None
    profile = payload.get("profile")
    labels = (entry.get("resource") or {}).get("labels") or {}
    time = entry.get("timestamp") or payload.get("time")
    if not isinstance(profile, Mapping) or "spans" not in profile:
        if entry.get("severity") not in ERRORS:
            return None
        message = payload.get("message") or entry.get("textPayload") or "no message"
        revision = str(labels.get("revision_name") or "unknown")
        return Failure(_time_or_none(time), str(message).splitlines()[0], revision)
    try:
        return Record(
            time=_time_or_none(time),
            message=str(payload.get("message") or ""),
            route=str(profile["route"]),
            status=int(profile["status"]),
            cold=bool(profile["cold"]),
            duration_ms=float(profile["duration_ms"]),
            spans=read_spans(profile["spans"]),
            texts=int(profile["texts"]),
            tokens=int(profile["tokens"]),
            rss_mb=float(profile["rss_mb"]),
            revision=str(labels.get("revision_name") or profile.get("revision") or "unknown"),
            instance=str(profile["instance"]["id"]),
            age_s=float(profile["instance"]["age_s"]),
            trace=entry.get("trace") or payload.get(TRACE),
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def parse_time(text: str) -> datetime:
    """An RFC 3339 time or a date, in UTC unless it says otherwise; raises ValueError."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time_or_none(value: object) -> datetime | None:
    try:
        return parse_time(str(value))
    except ValueError:
        return None
