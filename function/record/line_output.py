"""Lines on standard output that cost nobody an answer.

A line is written at once where the other end takes it. Where nobody reads, up to QUEUE_BYTES of
lines wait for a thread that writes them as soon as somebody does. What does not fit, and what
cannot be written (the disk is full, the other end is gone), is dropped and counted: the next
request's line that gets through has the count, and standard error one complaint.

Lines go to the descriptor itself: frameworks replace `sys.stdout`, and would add to them.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
QUEUE_BYTES = 2**18
PIECE_BYTES = 4096
"""PIPE_BUF: a pipe that takes anything takes so much without blocking."""
LOOK_MS = 1000
PAUSE_S = 0.01
END_S = 1.0
"""How long the end of the process waits for the next of the lines that wait to be taken."""


class Line:
    """A line on its way."""

    def __init__(self, entry: dict[str, Any], dropped: int) -> None:
        if dropped:
            entry["profile"]["dropped"] = dropped
        self.left = memoryview(json.dumps(entry).encode() + b"\n")
        """What is not yet written of it."""
        self.size = len(self.left)
        self.lines = 1 + dropped
        """Lines that are lost with it: those whose loss it reports, and itself."""


class LineOutput:
    """A descriptor that takes lines. Threads may share it."""

    def __init__(self, descriptor: int | None) -> None:
        """None: it is closed."""
        self._descriptor = descriptor
        self._queue: deque[Line] = deque()
        self._queued_bytes = 0
        self._dropped = 0
        self._is_torn = False
        """A line was written in part and then lost: the next one begins on a new line."""
        self._complained = False
        self._state = threading.Lock()
        """Held while the queue and the counts change, never while something is written."""
        self._writing = threading.Lock()
        self._waiting: threading.Thread | None = None

    def write(self, entry: dict[str, Any]) -> None:
        """Write an entry as JSON, or leave it for later, or drop it. Never blocks, never raises."""
        dropped = 0
        if "profile" in entry:
            with self._state:
                dropped, self._dropped = self._dropped, 0
        line = Line(entry, dropped)
        with self._state:
            fits = self._queued_bytes + line.size <= QUEUE_BYTES
            if fits:
                self._queue.append(line)
                self._queued_bytes += line.size
        if not fits:
            self._drop(line, "nobody reads it")
        self._write_queue()

    def end(self) -> None:
        """Wait for lines that wait, as long as the other end takes one within END_S."""
        waiting, before = self._waiting, -1
        while waiting is not None and waiting.is_alive() and self._queued_bytes != before:
            before = self._queued_bytes
            waiting.join(END_S)

    def _write_queue(self) -> None:
        """Write what waits. While another thread does, this one's line is written by that."""
        while self._queue and self._writing.acquire(blocking=False):
            try:
                is_stuck = not self._write_lines()
            finally:
                self._writing.release()
            if is_stuck:
                self._wait_in_thread()
                return

    def _write_lines(self) -> bool:
        """Write line after line; false when the other end takes no more for now."""
        while self._queue:
            line = self._queue[0]
            try:
                if not self._write_line(line):
                    return False
            except OSError as error:
                self._is_torn = len(line.left) < line.size
                self._drop(line, error.strerror or str(error))
            with self._state:
                self._queue.popleft()
                self._queued_bytes -= line.size
        return True

    def _write_line(self, line: Line) -> bool:
        """Write the rest of a line; false when only a part was taken. Raises OSError."""
        if self._descriptor is None:
            raise OSError("it is closed")
        while line.left:
            if not is_writable(self._descriptor):
                return False
            try:
                if self._is_torn:
                    os.write(self._descriptor, b"\n")
                    self._is_torn = False
                line.left = line.left[os.write(self._descriptor, line.left[:PIECE_BYTES]) :]
            except BlockingIOError:
                return False
        return True

    def _drop(self, line: Line, reason: str) -> None:
        with self._state:
            self._dropped += line.lines
        if not self._complained:
            self._complained = complain(
                f"standard output: {reason}; log lines are dropped and counted until it takes them"
            )

    def _wait_in_thread(self) -> None:
        with self._state:
            if self._waiting is not None:
                return
            self._waiting = threading.Thread(target=self._wait, name="log", daemon=True)
        import atexit

        with suppress(RuntimeError):  # the process ends
            self._waiting.start()
            atexit.register(self.end)

    def _wait(self) -> None:
        """Write what waits whenever the other end takes something, until nothing waits."""
        assert self._descriptor is not None
        while True:
            with self._state:
                if not self._queue:
                    self._waiting = None
                    return
            is_writable(self._descriptor, LOOK_MS)
            self._write_queue()
            time.sleep(PAUSE_S)


def is_writable(descriptor: int, wait_ms: int = 0) -> bool:
    """Whether a write returns at once, be it with an error."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(wait_ms))


def complain(message: str) -> bool:
    """Write a line to standard error, if that takes it at once; false where it does not."""
    if sys.__stderr__ is None or not is_writable(STANDARD_ERROR):
        return False
    try:
        os.write(STANDARD_ERROR, f"{message}\n".encode(errors="backslashreplace"))
    except OSError:
        return False
    return True


log_lines = LineOutput(None if sys.__stdout__ is None else STANDARD_OUTPUT)
"""Standard output as it was when Python started."""
