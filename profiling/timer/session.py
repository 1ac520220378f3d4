"""What was captured: the spans of one request, in the order in which they were opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]
"""Seconds from any origin, never going back."""


@dataclass(slots=True)
class Span:
    """A named stretch of one session, in milliseconds since the session began."""

    name: str
    start_ms: float
    duration_ms: float | None = None
    """None while the span is open."""
    parent: int | None = None
    """Place in `Session.spans` of the span around this one; None at the top."""


class Session:
    """Spans of one request. One thread fills it: the current session is kept per context."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin_s = clock()
        self._open: list[int] = []
        self.spans: list[Span] = []

    @property
    def open_spans(self) -> list[str]:
        """Names of the spans that were not closed yet, the outermost first."""
        return [self.spans[place].name for place in self._open]

    def open(self, name: str) -> None:
        parent = self._open[-1] if self._open else None
        self._open.append(len(self.spans))
        self.spans.append(Span(name, self._elapsed_ms(), parent=parent))

    def close(self) -> None:
        """Close the span opened last."""
        span = self.spans[self._open.pop()]
        span.duration_ms = self._elapsed_ms() - span.start_ms

    def _elapsed_ms(self) -> float:
        return (self._clock() - self._origin_s) * 1000.0
