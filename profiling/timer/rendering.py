"""Spans as others read them: the rows of a log line, and a Server-Timing header."""

from __future__ import annotations

from collections.abc import Iterable

from profiling.timer.spans import Span

DECIMALS = 3  # a microsecond


def span_rows(spans: Iterable[Span]) -> list[dict[str, str | float | None]]:
    """One object per span for JSON; the duration is None when the span was left open.

    `error` is there only when an exception ended the span, and names its type.
    """
    return [_row(span) for span in spans]


def server_timing(spans: Iterable[Span]) -> str:
    """The same spans as a Server-Timing header's value: `parse;dur=0.12, run;dur=1.3`."""
    return ", ".join(
        span.name if span.duration_ms is None else f"{span.name};dur={_rounded(span.duration_ms)}"
        for span in spans
    )


def _row(span: Span) -> dict[str, str | float | None]:
    row: dict[str, str | float | None] = {
        "name": span.name,
        "start_ms": round(span.start_ms, DECIMALS),
        "duration_ms": _rounded(span.duration_ms),
    }
    if span.error is not None:
        row["error"] = span.error
    return row


def _rounded(duration_ms: float | None) -> float | None:
    return None if duration_ms is None else round(duration_ms, DECIMALS)
