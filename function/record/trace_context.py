"""The trace of a request, read from the headers that the platform adds."""

from __future__ import annotations

import re

from model.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Headers(Protocol):
        """Looks up a header by its name, in any case."""

        def get(self, key: str, default: str, /) -> str: ...


TRACEPARENT = r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})((?:-.*)?)"
"""https://www.w3.org/TR/trace-context/#traceparent-header: only later versions have a rest."""
CLOUD_TRACE = r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]{1,10}))?(?:;.*)?"
"""X-Cloud-Trace-Context: `TRACE_ID/SPAN_ID;o=OPTIONS`, its span in decimal."""
HEADERS = ("traceparent", "X-Cloud-Trace-Context")
SAMPLED = 1
"""The bit of either header's flags that is set when the caller records this trace."""


class Trace(Values):
    def __init__(self, trace_id: str, span_id: str | None, sampled: bool = False) -> None:
        self.trace_id = trace_id
        """32 hexadecimal digits."""
        self.span_id = span_id
        """16 hexadecimal digits."""
        self.sampled = sampled
        """The caller records this trace."""


def read_trace(headers: Headers) -> Trace | None:
    """The trace in `traceparent`, else the one in `X-Cloud-Trace-Context`, else None.

    A malformed header counts as absent: it must not cost anyone the answer.
    """
    traceparent, cloud_trace = (headers.get(name, "") for name in HEADERS)
    return (_traceparent(traceparent) if traceparent else None) or (
        _cloud_trace(cloud_trace) if cloud_trace else None
    )


def _traceparent(value: str) -> Trace | None:
    match = re.fullmatch(TRACEPARENT, value.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & SAMPLED))


def _cloud_trace(value: str) -> Trace | None:
    match = re.fullmatch(CLOUD_TRACE, value.strip(), re.ASCII)
    if match is None or not int(match[1], 16):
        return None
    span = int(match[2] or 0)
    span_id = f"{span:016x}" if 0 < span < 2**64 else None
    return Trace(match[1].lower(), span_id, bool(int(match[3] or 0) & SAMPLED))


def is_sampled(trace: Trace | None, share: float) -> bool:
    """Whether a request records all of its spans: a `share` of them, and what the caller samples.

    The same trace gets the same answer everywhere: its id decides, as W3C has its last 7 bytes
    random.
    """
    if share >= 1 or (trace is not None and trace.sampled):
        return True
    if trace is None:
        import random

        return random.random() < share
    return int(trace.trace_id[-14:], 16) / 2**56 < share
