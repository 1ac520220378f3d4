"""Capturing: which session is current, and spans that find it by themselves."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

from profiling.timer.spans import Session, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from profiling.timer.spans import Clock

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])
    Frame = tuple[Session, Span | None, Any]
    """A session, the span that is open in it, and the frame to return to when that span closes.

    The last is None for a session with no span open; the span is None where it is not recorded.
    """

GENERATOR, COROUTINE = 0x20, 0x80
"""Flags of a function's code, as `inspect` has them, whose import would cost every start."""


class Timer:
    """Opens sessions and spans. Every context has a current session of its own, or none.

    A new thread starts with none; to have its spans in the session of whoever starts it, run
    `contextvars.copy_context().run(function)` there.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        self._current: ContextVar[Frame | None] = ContextVar("frame", default=None)

    @property
    def current(self) -> Session | None:
        frame = self._current.get()
        return None if frame is None else frame[0]

    @contextmanager
    def session(
        self, session: Session | None = None, *, detailed: bool = True
    ) -> Iterator[Session]:
        """Spans opened in this context, until it ends, belong to `session`, else to a new one.

        A new one that is not `detailed` (it was not sampled) records its outermost spans only.
        """
        if session is None:
            session = Session(self.clock, detailed=detailed)
        token = self._current.set((session, None, None))
        try:
            yield session
        finally:
            self._current.reset(token)

    def record(self, name: str, duration_s: float) -> None:
        """A span of time that was measured elsewhere, such as the sum of many waits.

        It lies at the end of the span that is open, which took at least so long until now.
        """
        frame = self._current.get()
        if frame is not None and (frame[-1] is None or frame[0].detailed):
            frame[0].add(name, duration_s, frame[1])

    def span(self, name: str) -> NamedSpan:
        """A span, both as `with timer.span("x"):` and as the decorator `@timer.span("x")`."""
        return NamedSpan(self._current, name)


class NamedSpan:
    """Holds no state of a running span, so that one decorator may serve many threads."""

    def __init__(self, current: ContextVar[Frame | None], name: str) -> None:
        self._current = current
        self._name = name

    def __enter__(self) -> None:
        frame = self._current.get()
        if frame is None:
            return
        session, parent, outer = frame
        span = session.open(self._name, parent) if outer is None or session.detailed else None
        self._current.set((session, span, frame))

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        frame = self._current.get()
        if frame is None or frame[-1] is None:  # outside a session when it was entered
            return
        session, span, outer = frame
        if span is not None:
            session.close(span, None if kind is None else kind.__name__)
        self._current.set(outer)

    def __call__(self, function: Decorated) -> Decorated:
        """The function, timed; `self` holds nothing of a run, so it serves all of them."""
        if function.__code__.co_flags & (GENERATOR | COROUTINE):
            raise TypeError(
                f"span {self._name!r} would time the making of {function.__qualname__}, not its "
                "run; use `with timer.span(...)` inside it"
            )

        @wraps(function)
        def timed(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return function(*arguments, **keywords)

        return timed  # type: ignore[return-value]  # the same signature
