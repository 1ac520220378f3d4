"""Spans with a clock that ticks only when a test says so."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from profiling.timer import Session, Span, Startup, Timer, server_timing, span_rows
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
    assert all(span.duration_ms is not None for span in session.spans)
    assert timer.current is None


def rounded(session: Session) -> list[tuple[str, float, float, int | None]]:
    """Name, start, duration and the place of the span around it."""
    return [
        (
            span.name,
            round(span.start_ms, 6),
            round(span.duration_ms or 0, 6),
            session.spans.index(span.parent) if span.parent else None,
        )
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


def test_a_span_outside_a_session_records_nothing(timer: Timer) -> None:
    with timer.span("outside"):
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
    run = Span("run", 1.5, 1.23456789)
    spans = [Span("parse", 0.02004, 0.12), run, Span("open", 2.0, parent=run)]
    assert span_rows(spans) == [
        {"name": "parse", "start_ms": 0.02, "duration_ms": 0.12, "parent": None},
        {"name": "run", "start_ms": 1.5, "duration_ms": 1.235, "parent": None},
        {"name": "open", "start_ms": 2.0, "duration_ms": None, "parent": 1},
    ]
    assert server_timing(spans) == "parse;dur=0.12, run;dur=1.235, open"


def test_the_shared_timer_is_monotonic(session: Session) -> None:
    for _ in range(100):
        with shared.span("tick"):
            pass
    starts = [span.start_ms for span in session.spans]
    assert starts == sorted(starts)
    assert all(span.duration_ms is not None and span.duration_ms >= 0 for span in session.spans)


def test_a_span_says_which_exception_ended_it(timer: Timer, captured: Session) -> None:
    with timer.span("outer"), pytest.raises(KeyError, match="lost"), timer.span("inner"):
        raise KeyError("lost")
    assert [row.get("error") for row in span_rows(captured.spans)] == [None, "KeyError"]


def test_threads_may_share_a_session_and_keep_their_own_nesting(
    timer: Timer, captured: Session
) -> None:
    start = threading.Barrier(8)

    def part(name: str) -> None:
        start.wait()
        for _ in range(200):
            with timer.span(name), timer.span(f"{name}-inner"):
                pass

    with timer.span("request"):
        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(part, f"t{number}"))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    request, *rest = captured.spans
    assert len(rest) == 8 * 200 * 2
    for span in rest:
        assert span.parent is not None
        inner = span.name.endswith("-inner")
        assert span.parent.name == (span.name.removesuffix("-inner") if inner else "request")
        assert inner or span.parent is request


def test_an_unsampled_session_keeps_its_outermost_spans(timer: Timer, clock: Clock) -> None:
    with timer.session(detailed=False) as session:
        with timer.span("request"), timer.span("run"), timer.span("deeper"):
            clock.tick(3)
        with timer.span("second"):
            clock.tick(1)
    assert rounded(session) == [("request", 0, 3, None), ("second", 3, 1, None)]


def test_a_span_around_a_session_is_not_in_it(timer: Timer, captured: Session) -> None:
    with timer.span("outside"), timer.session() as inner, timer.span("inside"):
        pass
    assert [span.name for span in inner.spans] == ["inside"]
    assert [span.name for span in captured.spans] == ["outside"]


def test_what_runs_later_cannot_be_decorated(timer: Timer) -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def answer() -> int:
        return 1

    with pytest.raises(TypeError, match=r"span 'x' would time the making of .*numbers"):
        timer.span("x")(numbers)
    with pytest.raises(TypeError, match=r"the making of .*answer.*use `with"):
        timer.span("x")(answer)


def test_the_first_request_goes_on_from_the_start_of_the_server(timer: Timer, clock: Clock) -> None:
    startup = Startup(clock, age_s=0.25)
    with timer.session(startup), timer.span("import_handler"):
        clock.tick(40)
    clock.tick(500)
    for no_request in (None, startup):
        startup.hand_over(no_request)
    assert startup.pending
    with timer.session() as request:
        with timer.span("request"):
            clock.tick(2)
            startup.hand_over(timer.current)
            with timer.span("load"):
                clock.tick(100)
        clock.tick(1)
    assert rounded(request) == [
        ("framework", 0, 250, None),
        ("import_handler", 250, 40, None),
        ("idle", 290, 500, None),
        ("request", 790, 102, None),
        ("load", 792, 100, 3),
    ]
    assert [row["parent"] for row in span_rows(request.spans)] == [None, None, None, None, 3]
    with timer.session() as second, timer.span("request"):
        startup.hand_over(timer.current)
    assert [span.name for span in second.spans] == ["request"]


def test_spans_of_two_threads_of_a_start_have_their_own_parents(timer: Timer, clock: Clock) -> None:
    """The bundle loads beside the import of the framework; neither is inside the other."""
    startup = Startup(clock, age_s=0.1)
    loaded, imported = threading.Event(), threading.Event()

    def load() -> None:
        with timer.session(startup), timer.span("load"), timer.span("import_numpy"):
            loaded.set()
            imported.wait()

    thread = threading.Thread(target=load)
    with timer.session(startup):
        thread.start()
        loaded.wait()
        with timer.span("import_framework"):
            clock.tick(125)
        imported.set()
        with timer.span("wait"):
            thread.join()
    with timer.session() as request, timer.span("request"):
        startup.hand_over(timer.current)
    rows = span_rows(request.spans)
    parents = {row["name"]: row["parent"] for row in rows}
    assert parents == {
        "framework": None,
        "load": None,
        "import_numpy": [row["name"] for row in rows].index("load"),
        "import_framework": None,
        "wait": None,
        "idle": None,
        "request": None,
    }


FORKING = """
import os, time
from profiling.timer import startup, timer
startup.mark_forks()
with timer.session(startup), timer.span("import_handler"):
    time.sleep(0.05)
time.sleep(0.1)
if os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
time.sleep(0.2)
with timer.session() as session, timer.span("request"):
    startup.hand_over(timer.current)
spans = (f"{span.name}={span.duration_ms}" for span in session.spans)
print(*spans, f"age={startup.elapsed_ms / 1000}")
"""


def test_a_forked_worker_tells_of_the_process_before_it() -> None:
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    took_ms = (time.monotonic() - began_s) * 1000
    spans = dict(pair.split("=") for pair in done.stdout.split())
    assert list(spans) == ["framework", "import_handler", "boot", "idle", "request", "age"]
    assert 0 < float(spans["framework"]) < took_ms
    assert float(spans["import_handler"]) >= 50
    assert float(spans["boot"]) >= 100
    assert float(spans["idle"]) >= 200
    assert 0.35 < float(spans["age"]) < took_ms / 1000 + 0.02  # a process's start is known to 10 ms
