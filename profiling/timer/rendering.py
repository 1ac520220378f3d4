"""Spans as others read them: the rows of a log line, and a Server-Timing header."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from profiling.timer.spans import Span

    SpanRow = dict[str, str | float | int | None]

DECIMALS = 3  # a microsecond
MOST_SPANS = 200
"""The first ones of a session; clients and proxies take no header without a bound."""


def span_rows(spans: Sequence[Span]) -> list[SpanRow]:
    """One object for each of the first MOST_SPANS, for JSON.

    The duration is None when the span was left open. `parent` is the index of the row of the span
    around it, None at the top. `error` is there only when an exception ended the span, and names
    its type.
    """
    spans = spans[:MOST_SPANS]
    index_of = {span: index for index, span in enumerate(spans)}
    rows: list[SpanRow] = []
    for span in spans:
        row: SpanRow = {
            "name": span.name,
            "start_ms": round(span.start_ms, DECIMALS),
            "duration_ms": _rounded(span.duration_ms),
            "parent": None if span.parent is None else index_of.get(span.parent),
        }
        if span.error is not None:
            row["error"] = span.error
        rows.append(row)
    return rows


def server_timing(spans: Sequence[Span]) -> str:
    """The same spans as a Server-Timing header's value: `parse;dur=0.12, run;dur=1.3`."""
    return ", ".join(
        span.name if span.duration_ms is None else f"{span.name};dur={_rounded(span.duration_ms)}"
        for span in spans[:MOST_SPANS]
    )


def _rounded(duration_ms: float | None) -> float | None:
    return None if duration_ms is None else round(duration_ms, DECIMALS)
