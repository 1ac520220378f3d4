"""Spans with a clock that ticks when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from profiling.timer import Session, Span, Timer, server_timing, span_rows
from profiling.timer import timer as shared


class Clock:
    """Seconds; stands still until `tick`."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def tick(self, ms: float) -> None:
        self.now_s += ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timer(clock: Clock) -> Timer:
    return Timer(clock)


@pytest.fixture
def captured(timer: Timer) -> Iterator[Session]:
    with timer.session() as session:
        yield session
    assert session.open_spans == []
    assert timer.current is None


def rounded(session: Session) -> list[tuple[str, float, float, int | None]]:
    return [
        (span.name, round(span.start_ms, 6), round(span.duration_ms or 0, 6), span.parent)
        for span in session.spans
    ]


def test_nested_spans_stand_in_the_order_of_their_start(
    timer: Timer, clock: Clock, captured: Session
) -> None:
    clock.tick(1)
    with timer.span("outer"):
        clock.tick(2)
        with timer.span("inner"):
            clock.tick(4)
        with timer.span("second"):
            clock.tick(8)
        clock.tick(16)
    assert rounded(captured) == [
        ("outer", 1, 30, None),
        ("inner", 3, 4, 0),
        ("second", 7, 8, 0),
    ]


def test_one_object_is_context_manager_and_decorator(
    timer: Timer, clock: Clock, captured: Session
) -> None:
    span = timer.span("work")

    @span
    def work(ms: float) -> float:
        """Tick."""
        clock.tick(ms)
        return ms

    with span:
        assert work(3) == 3
    assert rounded(captured) == [("work", 0, 3, None), ("work", 0, 3, 0)]
    assert work.__doc__ == "Tick."


def test_a_span_closes_when_its_body_raises(timer: Timer, clock: Clock, captured: Session) -> None:
    @timer.span("fails")
    def fail() -> None:
        clock.tick(5)
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"), timer.span("outer"):
        fail()
    assert rounded(captured) == [("outer", 0, 5, None), ("fails", 0, 5, 0)]


def test_an_open_span_is_named(timer: Timer, captured: Session) -> None:
    with timer.span("outer"), timer.span("inner"):
        assert captured.open_spans == ["outer", "inner"]


def test_a_span_outside_a_session_records_nothing(timer: Timer) -> None:
    with timer.span("nobody asked"):
        assert timer.current is None


def test_every_thread_has_its_own_session(timer: Timer, captured: Session) -> None:
    sessions: list[Session] = []
    start = threading.Barrier(8)

    def request(name: str) -> None:
        with timer.session() as session:
            start.wait()
            for _ in range(100):
                with timer.span(name), timer.span(f"{name}-inner"):
                    pass
        sessions.append(session)

    threads = [threading.Thread(target=request, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(tuple(sorted({span.name for span in session.spans})) for session in sessions)
    assert names == [(f"t{number}", f"t{number}-inner") for number in range(8)]
    assert [len(session.spans) for session in sessions] == [200] * 8
    assert captured.spans == []


def test_renderings_say_the_same() -> None:
    spans = [Span("parse", 0.02004, 0.12), Span("run", 1.5, 1.23456789), Span("open", 2.0)]
    assert span_rows(spans) == [
        {"name": "parse", "start_ms": 0.02, "duration_ms": 0.12},
        {"name": "run", "start_ms": 1.5, "duration_ms": 1.235},
        {"name": "open", "start_ms": 2.0, "duration_ms": None},
    ]
    assert server_timing(spans) == "parse;dur=0.12, run;dur=1.235, open"


def test_the_shared_timer_is_monotonic(session: Session) -> None:
    for _ in range(100):
        with shared.span("tick"):
            pass
    starts = [span.start_ms for span in session.spans]
    assert starts == sorted(starts)
    assert all(span.duration_ms is not None and span.duration_ms >= 0 for span in session.spans)
