"""The image's HTTP server: waitress, with the endpoint in place of a WSGI application.

One thread reads all connections and hands whole requests to the others, so a client that sends
nothing, or half of a request, holds a connection and no thread. How long it may:

- REQUEST_S for a request to arrive, counted from its first byte, or from the connection on;
- IDLE_S between requests: longer than the 620 s of Google's load balancers, which must never meet
  a connection that closes under them.

SIGTERM and SIGINT end it when all that has arrived is answered, within STOP_S.
"""

from __future__ import annotations

import logging
import signal
import socket
import time

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from function.http.body import DISCARD_BYTES
from function.http.channel import Channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.endpoint import Endpoint

REQUEST_S = 60.0
IDLE_S = 650.0
CHECK_S = 5
"""How often connections are looked over."""
STOP_S = 7.0
THREADS = 8
"""Requests that are answered at once; Cloud Run sends as many (`--concurrency`)."""
CONNECTIONS = 1000
HEADER_BYTES = 2**16


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: clients may connect from now on, and wait. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


class ImageServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Reads requests, lets the endpoint answer them, and stops in good order."""

    request_s, idle_s = REQUEST_S, IDLE_S

    def __init__(self, endpoint: Endpoint, listener: socket.socket, max_bytes: int) -> None:
        """Serve on `listener`; of a body no more than `max_bytes` and one is held."""
        self.endpoint = endpoint
        self.max_bytes = max_bytes
        self.channel_class = Channel
        self._stop_at_s: float | None = None
        self.accepting: bool
        logging.getLogger("waitress.queue").disabled = True  # requests may wait for a thread
        adjustments = Adjustments(
            listen="",  # the socket is here already
            threads=THREADS,
            ident=None,
            connection_limit=CONNECTIONS,
            cleanup_interval=CHECK_S,
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=DISCARD_BYTES,
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(THREADS)
        super().__init__(
            None,
            map={},
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def serve(self) -> None:
        """Until SIGTERM or SIGINT, and then until all is answered."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        self.serve_until_stopped()

    def serve_until_stopped(self) -> None:
        """Until `stop` is called by any thread, and then until all is answered."""
        while not self._stopped():
            wasyncore.poll2(1.0 if self._stop_at_s is None else 0.05, self._map)
        self.task_dispatcher.set_thread_count(0)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        if self._stop_at_s is None:
            self._stop_at_s = time.monotonic() + STOP_S
            self.pull_trigger()

    def _stopped(self) -> bool:
        """While it stops: take no connection, close idle ones; true when nothing is left."""
        if self._stop_at_s is None:
            return False
        if self.accepting:
            while len(self._map) < CONNECTIONS and self._accept_waiting():
                pass
            self.accepting = False
            self.close_listener()
        now = time.time()
        for channel in self.active_channels.values():
            channel.will_close = channel.will_close or channel.is_idle(now)
        return not self.active_channels or time.monotonic() > self._stop_at_s

    def _accept_waiting(self) -> bool:
        """Take a connection that waits to be accepted; false when none does."""
        before = len(self.active_channels)
        self.handle_accept()
        return len(self.active_channels) > before

    def close_listener(self) -> None:
        self.del_channel(self._map)
        self.socket.close()

    def maintenance(self, now: float) -> None:
        """Close what waited too long, as the module says."""
        for channel in self.active_channels.values():
            if channel.waits_since() < now - (
                self.request_s if channel.is_halfway() else self.idle_s
            ):
                channel.will_close = True
