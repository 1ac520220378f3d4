"""Where the time of a request went: spans, their capture and their rendering.

    from profiling.timer import timer

    with timer.session() as session:      # one request
        with timer.span("tokenize"):      # as a context manager
            ...
        answer()                          # where `answer` is decorated: @timer.span("answer")
    server_timing(session.spans)

A span outside any session costs a lookup and records nothing, so library code may keep its
spans when it runs in a notebook. `startup` holds what came before the first request. Standard
library only, and nothing of this project; `profiling.timer.otlp`, which nothing here imports,
sends sessions on to OpenTelemetry. `python -m profiling timer` measures what a span costs.
"""

from profiling.timer.capture import Timer
from profiling.timer.rendering import server_timing, span_rows
from profiling.timer.spans import Session, Span
from profiling.timer.startup import Startup, process_age_s

timer = Timer()
startup = Startup(timer.clock, process_age_s())

__all__ = ["Session", "Span", "Startup", "Timer", "server_timing", "span_rows", "startup", "timer"]
