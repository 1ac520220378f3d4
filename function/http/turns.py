"""Large requests wait for their turn, so that few of them are large in memory at once.

A body becomes many times as large while it is parsed and answered: objects of JSON, ids, answers.
As many as there are processors have their turn at once, which takes no longer in all; those that
wait hold their body alone.
"""

from __future__ import annotations

import threading

from model.cpus import usable_cpus
from profiling.timer import timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Turns:
    """The turns of one service. `threads` share one run of the graph."""

    def __init__(self, threads: int) -> None:
        self._free = threading.BoundedSemaphore(max(1, usable_cpus() // threads))

    def take(self) -> None:
        """Wait for a turn."""
        if not self._free.acquire(blocking=False):
            with timer.span("wait"):
                self._free.acquire()

    def give(self) -> None:
        self._free.release()


class Turn:
    """The turn of one request: taken when it turns out to be large, given back at its end."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._taken = False

    def __enter__(self) -> Turn:
        return self

    def take(self) -> None:
        """Wait for it, if that was not done yet."""
        if not self._taken:
            self._turns.take()
            self._taken = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._taken:
            self._turns.give()
