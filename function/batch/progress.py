"""One line on stderr that says how far a long run is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

TERMINAL_S = 0.2
LOG_S = 30.0


class Progress:
    """Redraws a line on a terminal; in a log, writes one every half minute."""

    def __init__(
        self, total_bytes: int, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total_bytes = total_bytes
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._started_s = self._shown_s = clock()
        self._first: tuple[int, int] | None = None

    def show(self, rows: int, read_bytes: int, last: bool = False) -> None:
        """Show rows done, the share of the input read, the rate and the time left.

        Rates count from the first call, so rows done by an earlier run do not flatter them.
        """
        now_s = self._clock()
        if self._first is None:
            self._first = (rows, read_bytes)
            self._started_s = now_s
        interval_s = TERMINAL_S if self._terminal else LOG_S
        if not last and now_s - self._shown_s < interval_s:
            return
        self._shown_s = now_s
        line = self._line(rows, read_bytes, now_s - self._started_s)
        self._stream.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        if last and self._terminal:
            self._stream.write("\n")
        self._stream.flush()

    def _line(self, rows: int, read_bytes: int, elapsed_s: float) -> str:
        first_rows, first_bytes = self._first or (0, 0)
        share = read_bytes / self._total_bytes if self._total_bytes else 1.0
        line = f"{rows} rows, {share:.0%}"
        if elapsed_s <= 0 or read_bytes <= first_bytes:
            return line
        left_s = elapsed_s * (self._total_bytes - read_bytes) / (read_bytes - first_bytes)
        minutes, seconds = divmod(round(max(0.0, left_s)), 60)
        return f"{line}, {(rows - first_rows) / elapsed_s:.0f} rows/s, {minutes}:{seconds:02} left"
