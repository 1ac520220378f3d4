"""Is there time left? An alarm ends whatever runs when the budget is spent.

Stages take being ended at any moment, as they take SIGKILL: the same command goes on from there.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

TO_REPORT = 0.1  # of the budget is kept for timing and drawing
MOST_TO_REPORT = 180.0  # seconds
RING_AGAIN = 1.0  # seconds; Python drops an exception that comes inside a destructor


class BudgetSpentError(BaseException):
    """The time is over. Not an Exception: no library on the way may take it for a fault."""


@contextmanager
def training_time(minutes: float | None) -> Iterator[None]:
    """Raise BudgetSpentError in the body when its part of `minutes` is over; None: no end."""
    if minutes is None:
        yield
        return
    seconds = 60 * minutes
    before = signal.signal(signal.SIGALRM, _ring)
    ends = seconds - min(TO_REPORT * seconds, MOST_TO_REPORT)
    signal.setitimer(signal.ITIMER_REAL, ends, RING_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(signum: int, frame: FrameType | None) -> None:
    raise BudgetSpentError
