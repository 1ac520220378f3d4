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

from profiling.logs.answer_fields import Cell, read_answers
from profiling.logs.json_fields import MOST, count, flag, mapping, number, text
from profiling.nesting import LoggedSpan, read_spans

TRACE = "logging.googleapis.com/trace"
ERRORS = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
PREDICT = "POST "
"""So begin the routes whose latency is the service's."""
COLD_START_SPANS = ("framework", "load")
"""A cold request with one of these paid for the cold start; other cold requests waited for it."""
MOST_SPANS = 1000
"""No function writes more in a line."""


@dataclass(frozen=True)
class Record:
    """One request."""

    time: datetime | None
    """In UTC."""
    message: str
    route: str
    status: int
    cold: bool
    duration_ms: float
    spans: tuple[LoggedSpan, ...]
    """Those that were closed, by start."""
    texts: int
    tokens: int
    """With those that were run for explanations."""
    answers: Mapping[Cell, int]
    """How often each label was given, and what else is counted."""
    bundle: str
    """`name@digest`; empty where none was loaded."""
    rss_mb: float
    revision: str
    instance: str
    age_s: float
    restart: bool
    """The server started this process in the place of one that was killed."""
    lines_lost: int
    """Lines that could not be written, since the one before this."""
    trace: str | None
    """`projects/PROJECT/traces/ID`."""

    @property
    def answered(self) -> bool:
        return self.route.startswith(PREDICT) and self.status == 200

    @property
    def warm(self) -> bool:
        return self.answered and not self.cold

    @property
    def paid_cold_start(self) -> bool:
        return (
            self.cold
            and not self.restart
            and any(span.name in COLD_START_SPANS for span in self.spans)
        )

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


@dataclass(frozen=True)
class OtherVersion:
    """A request's line with fields that are missing, or are not what this version writes."""

    time: datetime | None
    revision: str


def read_entry(entry: Mapping[str, Any]) -> Record | Failure | OtherVersion | None:
    """What a line or LogEntry is about; None when it is no request and no error.

    Never raises for what `json` can read.
    """
    payload = mapping(entry.get("jsonPayload", entry))
    profile = mapping(payload.get("profile"))
    labels = mapping(mapping(entry.get("resource")).get("labels"))
    time = _time_or_none(entry.get("timestamp") or payload.get("time"))
    revision = text(labels.get("revision_name")) or text(profile.get("revision")) or "unknown"
    if "spans" not in profile:
        if entry.get("severity") not in ERRORS:
            return None
        message = text(payload.get("message")) or text(entry.get("textPayload")) or "no message"
        return Failure(time, message, revision)
    try:
        instance = profile["instance"]
        return Record(
            time=time,
            message=text(payload.get("message")),
            route=_name(profile["route"]),
            status=count(profile["status"], most=999),
            cold=flag(profile["cold"]),
            duration_ms=number(profile["duration_ms"]),
            spans=_spans(profile["spans"]),
            texts=count(profile["texts"]),
            tokens=count(profile["tokens"]) + count(profile.get("explain_tokens", 0)),
            answers=read_answers(profile),
            bundle=text(profile.get("bundle")),
            rss_mb=number(profile["rss_mb"]),
            revision=revision,
            instance=_name(instance["id"]),
            age_s=number(instance["age_s"]),
            restart=flag(instance.get("restart", False)),
            lines_lost=count(profile.get("dropped", 0)),
            trace=text(entry.get("trace")) or text(payload.get(TRACE)) or None,
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return OtherVersion(time, revision)


def parse_time(text: str) -> datetime:
    """An RFC 3339 time or a date, in UTC unless it says otherwise; raises ValueError."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time_or_none(value: object) -> datetime | None:
    try:
        return parse_time(value).astimezone(UTC) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _name(value: object) -> str:
    """A name that is not blank; raises ValueError."""
    name = text(value)
    if not name:
        raise ValueError("a name is missing")
    return name


def _spans(rows: object) -> tuple[LoggedSpan, ...]:
    """The closed spans of a line; raises LookupError, TypeError or ValueError for odd rows."""
    if not isinstance(rows, list) or len(rows) > MOST_SPANS:
        raise ValueError("no list of spans")
    return read_spans([_span_row(mapping(row)) for row in rows])


def _span_row(row: Mapping[str, Any]) -> dict[str, Any]:
    duration_ms = row["duration_ms"]
    span = {
        "name": _name(row["name"]),
        "start_ms": number(row["start_ms"], least=-MOST),
        "duration_ms": None if duration_ms is None else number(duration_ms),
    }
    if "parent" in row:
        span["parent"] = None if row["parent"] is None else count(row["parent"])
    return span
