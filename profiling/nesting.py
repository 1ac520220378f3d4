"""Which span is inside which? From the rows of a log line: as they say, else from their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

ROUNDING_MS = 0.002
"""Start and duration of a row are rounded to a microsecond each."""


@dataclass(frozen=True)
class LoggedSpan:
    name: str
    start_ms: float
    duration_ms: float
    parent: int | None = None
    """Position of the span around this one among the spans of its line; None at the top."""

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.duration_ms


def read_spans(rows: Sequence[Mapping[str, Any]]) -> tuple[LoggedSpan, ...]:
    """The closed spans of a line, by start.

    `parent` of a row is the index of another row (format 2). Where rows lack it, times tell.
    Raises KeyError, TypeError, ValueError or IndexError for rows that no function writes.
    """
    closed = [index for index, row in enumerate(rows) if row["duration_ms"] is not None]
    closed.sort(key=lambda index: float(rows[index]["start_ms"]))
    spans = [
        LoggedSpan(str(row["name"]), float(row["start_ms"]), float(row["duration_ms"]))
        for row in (rows[index] for index in closed)
    ]
    if all("parent" in row for row in rows):
        positions = {index: position for position, index in enumerate(closed)}
        parents = [positions.get(_closed_parent(rows, index)) for index in closed]
    else:
        parents = _parents_by_time(spans)
    pairs = zip(spans, parents, strict=True)
    return tuple(replace(span, parent=parent) for span, parent in pairs)


def _closed_parent(rows: Sequence[Mapping[str, Any]], index: int) -> int:
    """Index of the innermost closed span around a row; -1 at the top."""
    for _ in rows:
        parent = rows[index]["parent"]
        if parent is None:
            return -1
        index = int(parent)
        if rows[index]["duration_ms"] is not None:
            return index
    raise ValueError("a span is inside itself")


def _parents_by_time(spans: Sequence[LoggedSpan]) -> list[int | None]:
    """Parents as the times suggest them, for spans sorted by start.

    Spans of one thread nest or follow each other, so each span is given to a thread where it does;
    where several threads fit, to the one in which a span began or ended last.
    """
    parents: list[int | None] = []
    threads: list[list[int]] = []  # the positions of each thread's open spans, outermost first
    touched_ms: list[float] = []  # when a span of the thread last began or ended
    for position, span in enumerate(spans):
        for thread, open_spans in enumerate(threads):
            while open_spans and spans[open_spans[-1]].end_ms <= span.start_ms + ROUNDING_MS:
                touched_ms[thread] = spans[open_spans.pop()].end_ms
        fitting = [
            thread
            for thread, open_spans in enumerate(threads)
            if not open_spans or span.end_ms <= spans[open_spans[-1]].end_ms + ROUNDING_MS
        ]
        if not fitting:
            fitting = [len(threads)]
            threads.append([])
            touched_ms.append(span.start_ms)
        thread = max(fitting, key=lambda thread: touched_ms[thread])
        parents.append(threads[thread][-1] if threads[thread] else None)
        threads[thread].append(position)
        touched_ms[thread] = span.start_ms
    return parents


def innermost(spans: Sequence[LoggedSpan]) -> list[LoggedSpan]:
    """The spans that hold no other."""
    outer = {span.parent for span in spans}
    return [span for position, span in enumerate(spans) if position not in outer]
