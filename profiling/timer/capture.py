"""Capturing: which session is current, and spans that find it by themselves."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from profiling.timer.session import Clock, Session

P = ParamSpec("P")
R = TypeVar("R")


class Timer:
    """Opens sessions and spans. Every thread has a current session of its own, or none."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._current: ContextVar[Session | None] = ContextVar("session", default=None)

    @property
    def current(self) -> Session | None:
        return self._current.get()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Spans opened in this context, until it ends, belong to the session given."""
        session = Session(self._clock)
        token = self._current.set(session)
        try:
            yield session
        finally:
            self._current.reset(token)

    def span(self, name: str) -> NamedSpan:
        """A span, both as `with timer.span("x"):` and as the decorator `@timer.span("x")`."""
        return NamedSpan(self, name)


class NamedSpan:
    """Holds no state of a running span, so that one decorator may serve many threads."""

    __slots__ = ("_name", "_timer")

    def __init__(self, timer: Timer, name: str) -> None:
        self._timer = timer
        self._name = name

    def __enter__(self) -> None:
        session = self._timer.current
        if session is not None:
            session.open(self._name)

    def __exit__(self, *_: object) -> None:
        session = self._timer.current
        if session is not None:
            session.close()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return timed
