"""What came before the first request: one session that begins with the server's first process.

    with timer.session(startup), timer.span("import_handler"):
        from function.http.handler import classify

The first span, `framework`, runs from the start of the process to the import of this module:
Python itself and functions-framework. `boot` ends when the server forks its worker, which it
does when it listens; `idle` when the request came that needed the bundle. That request's session
goes on from this one, so that its line has the whole cold start. A worker that the server starts
later, in place of one that was killed, begins anew when it is forked.

The server imports the function in its first process and forks afterwards, and the monotonic clock
is one for all processes. Linux gives a process's start in ticks, so the origin is exact to 10 ms.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from profiling.timer.spans import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from profiling.timer.spans import Clock

STAT = Path("/proc/self/stat")
STARTED = 19
"""Place of the start among the fields after the command's name: proc(5) has it as field 22."""


class Startup(Session):
    """What came before the first request that needed the bundle."""

    def __init__(self, clock: Clock, age_s: float) -> None:
        super().__init__(clock, clock() - age_s)
        self._lock = threading.Lock()
        self.pending = True
        """No request has gone on from here yet."""
        self.is_restart = False
        """This process replaces one that was killed, so that its start is no cold start."""
        self._forks = 0
        self.fill("framework")

    def mark_forks(self, workers: int = 1) -> None:
        """From now on, the first fork ends the span `boot`; one after `workers` is a restart."""
        self._workers = workers
        os.register_at_fork(after_in_parent=self._count_fork, after_in_child=self._forked)

    def hand_over(self, request: Session | None) -> None:
        """Let `request` go on from here, if it is the first to ask; None or itself: no request."""
        with self._lock:
            if request is None or request is self or not self.pending:
                return
            self.pending = False
        self.fill("idle")
        idle = self.spans[-1]
        waited_ms = request.elapsed_ms  # the request's own time is not idle
        idle.duration_ms = max(0.0, (idle.duration_ms or 0.0) - waited_ms)
        request.continue_from(self)

    def _count_fork(self) -> None:
        self._forks += 1

    def _forked(self) -> None:
        self._lock = threading.Lock()  # another thread may have held it
        if self._forks >= self._workers:
            self.is_restart = True
            self.spans = []
            self._origin_s = self._clock()
        elif self.pending and not any(span.name == "boot" for span in self.spans):
            self.fill("boot")


def process_age_s() -> float:
    """Seconds since this process began; 0 where /proc does not have it."""
    try:
        fields = STAT.read_bytes().rpartition(b")")[2].split()
        started_s = int(fields[STARTED]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started_s)
    except (OSError, AttributeError, IndexError, ValueError):
        return 0.0
