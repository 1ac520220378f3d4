"""Which requests? Some of a log's, whose numbers are read column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiling.logs.answer_table import AnswerColumns
from profiling.nesting import LoggedSpan

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = -(2**63)
"""In the place of microseconds."""
AT_TOP = -1
"""Parent of a span that is inside no other."""


@dataclass(frozen=True)
class SpanColumn:
    """The spans of one name in some requests."""

    places: NDArray[np.intp]
    """Which of the requests have such a span, ascending."""
    totals_ms: NDArray[np.float64]
    """How long each of these requests was in it."""
    starts_ms: NDArray[np.float64]
    """Of each span."""


@dataclass(frozen=True)
class Requests:
    """Some requests of a table; `requests["duration_ms"]` is a column of theirs."""

    columns: NDArray[Any]
    """A row for each request of the table, as REQUEST declares it."""
    spans: Mapping[str, NDArray[Any]]
    """By name: a row for each span, as SPAN declares it."""
    revision_names: Sequence[str]
    bundle_names: Sequence[str]
    messages: Sequence[str]
    answers: AnswerColumns
    rows: NDArray[np.intp]
    """Which rows of the table these are."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> NDArray[Any]:
        values: NDArray[Any] = self.columns[column][self.rows]
        return values

    def where(self, picked: NDArray[np.bool_] | NDArray[np.intp]) -> Requests:
        """Those of a mask, or at places."""
        return replace(self, rows=self.rows[picked])

    def of_revision(self, name: str) -> Requests:
        number = self.revision_names.index(name) if name in self.revision_names else -1
        return self.where(self["revision"] == number)

    def by_bundle(self) -> dict[str, Requests]:
        """Those of each bundle, by `name@digest`, in the order in which they appear."""
        numbers, first = np.unique(self["bundle"], return_index=True)
        return {
            self.bundle_names[number]: self.where(self["bundle"] == number)
            for number in numbers[np.argsort(first)]
        }

    def between(self, since: datetime, until: datetime) -> Requests:
        """Those from `since` until before `until`."""
        times_us = self["time_us"]
        return self.where((times_us >= microseconds(since)) & (times_us < microseconds(until)))

    @property
    def revisions(self) -> list[str]:
        """In the order in which they appear."""
        numbers, first = np.unique(self["revision"], return_index=True)
        return [self.revision_names[number] for number in numbers[np.argsort(first)]]

    def failed_messages(self) -> Iterator[str]:
        """The message of each; it is there for a status of 400 or more."""
        return (self.messages[number] for number in self["message"])

    @property
    def instances(self) -> int:
        return np.unique(self["instance"]).size

    def by_instance(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """A value for each request, split by instance in the order in which they appear."""
        if not len(self):
            return []
        _, first, inverse = np.unique(self["instance"], return_index=True, return_inverse=True)
        appearance = first[inverse]
        order = np.argsort(appearance, kind="stable")
        ends = np.flatnonzero(np.diff(appearance[order])) + 1
        return np.split(values[order], ends)

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """The earliest time and the latest; None where none is known."""
        times_us = self["time_us"]
        times_us = times_us[times_us != NO_TIME]
        if not times_us.size:
            return None
        return moment_of(times_us.min()), moment_of(times_us.max())

    @property
    def span_names(self) -> list[str]:
        """In the order in which the requests have them."""
        places = self.places()
        first: dict[str, tuple[int, int]] = {}
        for name, spans in self.spans.items():
            inside = places[spans["request"]]
            inside[inside < 0] = len(self)
            earliest = int(np.argmin(inside))
            if inside[earliest] < len(self):
                first[name] = int(inside[earliest]), int(spans["position"][earliest])
        return sorted(first, key=lambda name: first[name])

    def span(self, name: str) -> SpanColumn:
        """Empty where none of them has it."""
        spans = self.spans.get(name)
        if spans is None:
            return SpanColumn(np.empty(0, np.intp), np.empty(0), np.empty(0))
        inside = self.places()[spans["request"]]
        mask = inside >= 0
        inside = inside[mask]
        totals_ms: NDArray[Any] = np.bincount(inside, spans["duration_ms"][mask], len(self))
        places = np.flatnonzero(np.bincount(inside, minlength=len(self)))
        return SpanColumn(places, totals_ms[places], spans["start_ms"][mask])

    def spans_of(self, place: int) -> list[LoggedSpan]:
        """The spans of one request, by start."""
        by_position: dict[int, LoggedSpan] = {}
        for name, spans in self.spans.items():
            for span in spans[spans["request"] == self.rows[place]]:
                parent = None if span["parent"] == AT_TOP else int(span["parent"])
                times_ms = float(span["start_ms"]), float(span["duration_ms"])
                by_position[int(span["position"])] = LoggedSpan(name, *times_ms, parent)
        return [by_position[position] for position in sorted(by_position)]

    def places(self) -> NDArray[np.int32]:
        """Where among these a row of the table is; -1: it is not."""
        places = np.full(len(self.columns), -1, np.int32)
        places[self.rows] = np.arange(len(self), dtype=np.int32)
        return places


def microseconds(time: datetime) -> int:
    """Since EPOCH."""
    return (time - EPOCH) // timedelta(microseconds=1)


def moment_of(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(microseconds))
