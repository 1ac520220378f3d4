"""Spans of a request, in three things apart: capture, session, rendering.

    from profiling.timer import timer

    with timer.session() as session:      # one request
        with timer.span("tokenize"):      # as a context manager
            ...
        answer()                          # where `answer` is decorated: @timer.span("answer")
    server_timing(session.spans)

A span outside any session costs a lookup and records nothing, so library code may keep its
spans when it runs in a notebook. Standard library only, and nothing of this project.
"""

from profiling.timer.capture import Timer
from profiling.timer.rendering import server_timing, span_rows
from profiling.timer.session import Session, Span

timer = Timer()

__all__ = ["Session", "Span", "Timer", "server_timing", "span_rows", "timer"]
