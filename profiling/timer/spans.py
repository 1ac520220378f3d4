"""What was captured: the spans of one request, in the order in which they were opened."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], float]
    """Seconds from any origin, never going back."""


class Span:
    """A named stretch of one session, in milliseconds since the session began."""

    __slots__ = ("duration_ms", "error", "name", "parent", "start_ms")

    def __init__(
        self,
        name: str,
        start_ms: float,
        duration_ms: float | None = None,
        parent: Span | None = None,
    ) -> None:
        self.name = name
        self.start_ms = start_ms
        self.duration_ms = duration_ms
        """None while the span is open."""
        self.parent = parent
        """The span around this one; None at the top."""
        self.error: str | None = None
        """Type of the exception that ended the span."""

    @property
    def end_ms(self) -> float:
        """Its start while it is open."""
        return self.start_ms + (self.duration_ms or 0.0)


class Session:
    """Spans of one request, filled by any number of threads.

    Which span is around which is known per context (see capture), never here; appending to a
    list is atomic. A session that is not `detailed` keeps its outermost spans only.
    """

    def __init__(
        self, clock: Clock, origin_s: float | None = None, *, detailed: bool = True
    ) -> None:
        self._clock = clock
        self._origin_s = clock() if origin_s is None else origin_s
        self.detailed = detailed
        self.spans: list[Span] = []

    @property
    def elapsed_ms(self) -> float:
        """Since the session began."""
        return (self._clock() - self._origin_s) * 1000.0

    def open(self, name: str, parent: Span | None = None) -> Span:
        span = Span(name, self.elapsed_ms, None, parent)
        self.spans.append(span)
        return span

    def add(self, name: str, duration_s: float, parent: Span | None = None) -> None:
        """A closed span that ends now."""
        duration_ms = duration_s * 1000.0
        self.spans.append(Span(name, self.elapsed_ms - duration_ms, duration_ms, parent))

    def close(self, span: Span, error: str | None = None) -> None:
        span.duration_ms = self.elapsed_ms - span.start_ms
        span.error = error

    def fill(self, name: str) -> None:
        """A span from the end of the last outermost one, or from the beginning, until now."""
        start_ms = max((span.end_ms for span in self.spans if not span.parent), default=0.0)
        self.spans.append(Span(name, start_ms, max(0.0, self.elapsed_ms - start_ms)))

    def continue_from(self, earlier: Session) -> None:
        """Count from where `earlier` began, with its spans first; it must share the clock."""
        shift_ms = (self._origin_s - earlier._origin_s) * 1000.0
        self._origin_s = earlier._origin_s
        for span in self.spans:
            span.start_ms += shift_ms
        self.spans[:0] = earlier.spans
