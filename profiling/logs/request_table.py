"""Many requests in little memory: columns of numbers, and a number for each name.

A request takes 73 bytes and a span 24, a fraction of their line. Numbers are not rounded, so
percentiles and intervals are those of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiling.logs.answer_table import AnswerTable
from profiling.logs.entry import Record
from profiling.logs.selection import AT_TOP, NO_TIME, Requests, microseconds
from profiling.nesting import LoggedSpan

REQUEST = {
    "time_us": "q", "revision": "H", "bundle": "H", "instance": "Q", "status": "H", "message": "H",
    "answered": "?", "cold": "?", "warm": "?", "paid_cold_start": "?", "restart": "?",
    "duration_ms": "d", "start_to_answer_ms": "d", "rss_mb": "d", "age_s": "d",
    "texts": "I", "tokens": "I", "lines_lost": "I",
}  # fmt: skip
"""Columns of a request, and their types as `struct` and numpy name them."""
SPAN = {"request": "I", "position": "h", "parent": "h", "start_ms": "d", "duration_ms": "d"}
"""Columns of a span; the spans of each name are a table of their own."""
PACK_REQUEST, PACK_SPAN = (
    Struct("<" + "".join(columns.values())).pack for columns in (REQUEST, SPAN)
)
MOST_REVISIONS, MOST_BUNDLES, MOST_SPAN_NAMES, MOST_MESSAGES = 1000, 1000, 1000, 10_000


class Names:
    """A number for each name; those that come after the first `most` share the one of `others`."""

    def __init__(self, most: int, others: str) -> None:
        self._most = most
        self._others = others
        self._numbers: dict[str, int] = {}
        self.by_number: list[str] = []

    def number(self, name: str) -> int:
        if name not in self._numbers and len(self.by_number) >= self._most:
            name = self._others
        if name not in self._numbers:
            self._numbers[name] = len(self.by_number)
            self.by_number.append(name)
        return self._numbers[name]

    def shared(self, name: str) -> str:
        """The name itself, or `others`."""
        return self.by_number[self.number(name)]


class RequestTable:
    """The requests that were added."""

    def __init__(self) -> None:
        self._revisions = Names(MOST_REVISIONS, "other revisions")
        self._bundles = Names(MOST_BUNDLES, "other bundles")
        self._messages = Names(MOST_MESSAGES, "other messages")
        self._span_names = Names(MOST_SPAN_NAMES, "other spans")
        self._requests = bytearray()
        self._spans: list[bytearray] = []
        """By number of the name."""
        self._answers = AnswerTable()
        self._size = 0

    def add(self, record: Record) -> str:
        """Add a request; returns the name of the revision that it counts for.

        The spans that are summed up stay: those of warm predictions and of cold starts.
        """
        if record.warm or record.paid_cold_start:
            for position, span in enumerate(record.spans):
                self._add_span(position, span)
        revision = self._revisions.number(record.revision)
        instance = blake2b(record.instance.encode(), digest_size=8).digest()
        self._requests += PACK_REQUEST(
            NO_TIME if record.time is None else microseconds(record.time),
            revision, self._bundles.number(record.bundle), int.from_bytes(instance), record.status,
            self._messages.number(record.message if record.status >= 400 else ""),
            record.answered, record.cold, record.warm, record.paid_cold_start, record.restart,
            record.duration_ms, record.start_to_answer_ms if record.paid_cold_start else 0.0,
            record.rss_mb, record.age_s, record.texts, record.tokens, record.lines_lost,
        )  # fmt: skip
        if record.answered:
            self._answers.add(self._size, record.answers)
        self._size += 1
        return self._revisions.by_number[revision]

    def _add_span(self, position: int, span: LoggedSpan) -> None:
        name = self._span_names.number(span.name)
        if name == len(self._spans):
            self._spans.append(bytearray())
        parent = AT_TOP if span.parent is None else span.parent
        self._spans[name] += PACK_SPAN(
            self._size, position, parent, span.start_ms, span.duration_ms
        )

    def requests(self) -> Requests:
        """All of them, oldest first if each has a time; none can be added any more."""
        columns = _rows(self._requests, REQUEST)
        times_us = columns["time_us"]
        has_times = (times_us != NO_TIME).all()
        order = np.argsort(times_us, kind="stable") if has_times else np.arange(len(columns))
        names = self._span_names.by_number
        spans = [_rows(packed, SPAN) for packed in self._spans]
        return Requests(
            columns,
            dict(zip(names, spans, strict=True)),
            self._revisions.by_number,
            self._bundles.by_number,
            self._messages.by_number,
            self._answers.columns(),
            order,
        )


def _rows(packed: bytearray, columns: Mapping[str, str]) -> NDArray[Any]:
    return np.frombuffer(packed, np.dtype([(name, f"<{kind}") for name, kind in columns.items()]))
