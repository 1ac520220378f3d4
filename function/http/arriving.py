"""A request that flask hands over while its body still arrives."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from function.http.body import too_busy

if TYPE_CHECKING:
    from flask import Request

    from function.http.request import Stream

REQUEST_S = 60.0
"""A body arrives within so long, as in the image."""


class HeldBytes:
    """What all requests together hold of bodies that arrive."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Hold so many bytes more; false where they are too many."""
        with self._lock:
            if count > self._free:
                return False
            self._free -= count
            return True

    def give(self, count: int) -> None:
        """Hold so many bytes less."""
        with self._lock:
            self._free += count


class ArrivingBody:
    """The body of a request; what is read of it counts as held until `end`."""

    def __init__(self, stream: Stream, held: HeldBytes) -> None:
        self._stream = stream
        self._held = held
        self._until_s = time.monotonic() + REQUEST_S
        self._count = 0
        self.broken = False
        """There is nothing more to read: it broke off, or its client stalled."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes. Raises RequestError where they cannot be held, and what flask does."""
        try:
            if time.monotonic() > self._until_s:
                raise TimeoutError
            block = self._stream.read(size)
        except Exception:
            self.broken = True
            raise
        if not self._held.take(len(block)):
            raise too_busy()
        self._count += len(block)
        return block

    def end(self) -> None:
        """It is answered, and held no longer."""
        self._held.give(self._count)


class ArrivingRequest:
    """See function/http/request.py."""

    def __init__(self, request: Request, body: ArrivingBody) -> None:
        self.method = request.method
        self.path = request.path
        self.headers = request.headers
        self.content_length = request.content_length
        self.stream = body
