"""A connection to the image's server, and how a request is read from it."""

from __future__ import annotations

import socket
import time

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest

from function.http.body import too_busy
from function.http.wire import MalformedTask, RequestTask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from waitress.adjustments import Adjustments

    from function.http.image_server import ImageServer

MOST_UNSENT_BYTES = 2**20
"""A connection with more of its answers to send gets no further request of it answered."""
STALLED_S = 1.0
"""While the server stops, it waits for a request so long after the last byte of it."""


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    began_s: float | None = None
    """When the first byte of the request came that has not arrived whole."""
    request: HTTPRequestParser | None
    """What has arrived of a request."""
    used = False
    """Whether a whole request has come."""
    is_held_up = False
    """Its next request has arrived, and waits for the client to take earlier answers."""

    def __init__(self, server: ImageServer, *arguments: Any, **options: Any) -> None:
        self.task_class = RequestTask
        self.error_task_class = MalformedTask
        self.parser_class = lambda adjustments: Parser(
            adjustments, server.max_bytes, server.may_hold
        )
        super().__init__(server, *arguments, **options)

    def handle_read(self) -> None:
        """Reads; a client that ends in the middle of a request is told what is wrong with it."""
        if self.began_s is not None and self._has_ended():
            self._refuse_half()
        else:
            super().handle_read()

    def hold_up(self) -> bool:
        """Let the next request wait if the client takes no answers; whether it does."""
        with self.outbuf_lock:  # what is sent meanwhile would not go on with it
            self.is_held_up = self.total_outbufs_len > MOST_UNSENT_BYTES
        return self.is_held_up

    def handle_write(self) -> None:
        """Sends; goes on with requests that waited for that."""
        super().handle_write()
        if self.is_held_up and self.connected and self.total_outbufs_len <= MOST_UNSENT_BYTES:
            self.server.add_task(self)

    def _has_ended(self) -> bool:
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return False

    def _refuse_half(self) -> None:
        with self.requests_lock:
            request = self.request
            assert request is not None
            self.request, self.began_s = None, None
            request.error = BadRequest("it breaks off")
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)

    def received(self, data: bytes) -> bool:
        was_partial = self.request is not None
        taken: bool = super().received(data)
        if self.request is None:
            self.began_s, self.used = None, True
        elif not was_partial or self.began_s is None:
            self.began_s = time.time()
        arriving = self.request
        if arriving and not arriving.headers_finished and not self.server.may_hold():
            self.will_close = True  # a head cannot be let go of and answered
        return taken

    @property
    def held_bytes(self) -> int:
        """Bytes of its requests that wait, of the one that arrives, and of answers to send."""
        requests = [*self.requests, self.request]
        arriving: int = sum(request.held_bytes for request in requests if request is not None)
        return arriving + int(self.total_outbufs_len)

    def is_halfway(self) -> bool:
        """A request or an answer is under way, or the first request has not come."""
        return not self.used or self.began_s is not None or self.total_outbufs_len > 0

    def waits_since(self) -> float:
        """When it began to wait for the client; now, while it is the client that waits."""
        if self.requests and not self.is_held_up:
            return time.time()
        if self.began_s is not None:
            return self.began_s
        return float(self.last_activity)

    def is_idle(self, now: float) -> bool:
        """Nothing to answer or to send, and no request that still arrives."""
        if self.requests or self.total_outbufs_len:
            return False
        return self.began_s is None or now - self.last_activity > STALLED_S


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; of its body no more is held than the endpoint may take and one byte."""

    completed: bool

    def __init__(
        self, adjustments: Adjustments, max_bytes: int, may_hold: Callable[[], bool]
    ) -> None:
        super().__init__(adjustments)
        self._max_bytes = max_bytes
        self._may_hold = may_hold

    def received(self, data: bytes) -> int:
        """How many bytes were taken. Refuses a line between chunks that is longer than a head.

        It is copied with every piece that arrives: megabytes of it would keep the reading thread.
        """
        taken: int = super().received(data)
        if self.chunked and not self.completed:
            framing = len(self.body_rcv.control_line) + len(self.body_rcv.trailer)
            if framing > self.adj.max_request_header_size:
                self.error, self.completed = BadRequest("a chunk's head is too long"), True
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # of a URI or a Content-Length that Python does not take
            raise ParsingError(str(error)) from None
        if self.body_rcv is None:
            self.expect_continue = False  # there is nothing to go on with
        else:
            self.body_rcv.buf = HeldBody(self._max_bytes + 1, self._may_hold)

    @property
    def may_grow(self) -> bool:
        """Whether it may take far longer than its size says: it is packed, or asks to explain."""
        if self.body_rcv is None:
            return False
        return "CONTENT_ENCODING" in self.headers or b'"explain"' in self.body_rcv.buf

    @property
    def held_bytes(self) -> int:
        """What has arrived of it and is held."""
        if self.body_rcv is None:
            return len(self.header_plus)
        body: HeldBody = self.body_rcv.buf
        return body.held_bytes


class HeldBody:
    """A body: what arrives is appended, and read once.

    It throws away what is past its size, and all of it where no more may be held.
    """

    def __init__(self, size: int, may_hold: Callable[[], bool]) -> None:
        self._size = size
        self._may_hold = may_hold
        self._held = bytearray()
        self._received = 0
        self._refused = False

    def __len__(self) -> int:
        return self._received

    def __contains__(self, data: bytes) -> bool:
        return data in self._held

    @property
    def held_bytes(self) -> int:
        return len(self._held)

    def append(self, data: bytes) -> None:
        self._received += len(data)
        if not self._refused:
            self._held += data[: self._size - len(self._held)]
            if not self._may_hold():
                self._refused = True
                self._held = bytearray()

    def getfile(self) -> HeldBody:
        return self

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, which are held no longer; raises RequestError."""
        if self._refused:
            raise too_busy()
        block = bytes(self._held[:size] if size >= 0 else self._held)
        del self._held[: len(block)]
        return block

    def close(self) -> None:
        self._held = bytearray()
