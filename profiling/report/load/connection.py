"""How does a request travel? As bytes made before, over a plain socket, its response parsed in C.

Whatever Python does between sending and the last byte would count as the server's time: a general
client's 0.2 ms are a sixth of a short answer's. So does the time until gevent wakes, which is why
the kernel's timestamp of the received bytes is read with them, where it has one (Linux).
"""

from __future__ import annotations

import struct
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gevent import socket
from httptools import HttpResponseParser

CHUNK_BYTES = 65536
ARRIVAL = 35 if sys.platform == "linux" else None
"""SO_TIMESTAMPNS, which the socket module does not name: see socket(7)."""
TIMESPEC = struct.Struct("@ll")


@dataclass
class Response:
    """Filled in by HttpResponseParser. Times are of time.perf_counter."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    first_byte_s: float = 0.0
    last_byte_s: float = 0.0
    complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.complete = True


class Connection:
    """A connection that is kept, opened by its first request."""

    def __init__(self, address: str, timeout_s: float) -> None:
        parts = urlsplit(address)
        self._host_and_port = (parts.hostname, parts.port or 80)
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> Response:
        """Raises OSError, TimeoutError among them, when no complete response comes."""
        if self._socket is None:
            self._socket = socket.create_connection(self._host_and_port, self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if ARRIVAL is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, ARRIVAL, 1)
        self._socket.sendall(request)
        response = Response()
        parser = HttpResponseParser(response)
        while not response.complete:
            part, ancillary, *_ = self._socket.recvmsg(
                CHUNK_BYTES, socket.CMSG_SPACE(TIMESPEC.size)
            )
            if not part:
                raise ConnectionResetError("the connection was closed before the whole answer")
            response.last_byte_s = time.perf_counter() - waited_s(ancillary)
            response.first_byte_s = response.first_byte_s or response.last_byte_s
            parser.feed_data(part)
        response.status = parser.get_status_code()
        if response.headers.get("connection", "").lower() == "close":
            self.close()
        return response

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def waited_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """How long ago the bytes came that `recvmsg` returned together with `ancillary`."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == ARRIVAL:
            seconds, nanoseconds = TIMESPEC.unpack(data)
            waited_ns: int = time.time_ns() - seconds * 10**9 - nanoseconds
            return max(0, waited_ns) / 1e9
    return 0.0
