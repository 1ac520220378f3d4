"""Which trace a request belongs to, from the headers the platform adds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""
CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;.*)?", re.ASCII)
"""X-Cloud-Trace-Context: `TRACE_ID/SPAN_ID;o=OPTIONS`, its span in decimal."""


@dataclass(frozen=True)
class Trace:
    trace_id: str
    """32 hexadecimal digits."""
    span_id: str | None
    """16 hexadecimal digits."""


class Headers(Protocol):
    """Whatever looks up a header by its name."""

    def get(self, key: str, default: str, /) -> str: ...


def read_trace(headers: Headers) -> Trace | None:
    """The trace in `traceparent`, else the one in `X-Cloud-Trace-Context`, else None.

    A malformed header counts as absent: it must not cost anyone the answer.
    """
    return _traceparent(headers.get("traceparent", "")) or _cloud_trace(
        headers.get("X-Cloud-Trace-Context", "")
    )


def _traceparent(value: str) -> Trace | None:
    found = TRACEPARENT.fullmatch(value.strip())
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return Trace(found[1], found[2])


def _cloud_trace(value: str) -> Trace | None:
    found = CLOUD_TRACE.fullmatch(value.strip())
    if found is None or not int(found[1], 16):
        return None
    span = int(found[2] or 0)
    return Trace(found[1].lower(), f"{span:016x}" if 0 < span < 2**64 else None)
