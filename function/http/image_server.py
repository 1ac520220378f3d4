"""The image's HTTP server: waitress, with the endpoint in place of a WSGI application.

One thread reads all connections. It answers a short request itself when no other is answered, and
hands the rest, whole, to other threads: a client that sends nothing, or half of a request, holds a
connection and no thread. How long it may:

- REQUEST_S for a request to arrive, counted from its first byte, or from the connection on, and
  as long without taking anything of an answer;
- IDLE_S between requests: longer than the 620 s of Google's load balancers, which must never meet
  a connection that closes under them.

SIGTERM and SIGINT end it when all that has arrived is answered, within STOP_S.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import socket
import threading
import time
from contextlib import suppress

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from function.http.body import DISCARD_BYTES, HELD_BODIES
from function.http.channel import Channel
from model.cpus import usable_cpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.http.channel import Parser
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
SHORT_BYTES = 512
"""A longer body may hold a list whose answers take a while."""


class ImageServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Reads requests, lets the endpoint answer them, and stops in good order."""

    def __init__(self, endpoint: Endpoint, listener: socket.socket, max_bytes: int) -> None:
        """Serve on `listener`; of a body no more than `max_bytes` and one is held, and of all
        that arrives and waits no more than HELD_BODIES such bodies."""
        self.endpoint = endpoint
        self.max_bytes = max_bytes
        self._most_held_bytes = HELD_BODIES * max_bytes
        self.channel_class = Channel
        self._stop_at_s: float | None = None
        self.accepting: bool
        logging.getLogger("waitress.queue").disabled = True  # requests may wait for a thread
        adjustments = Adjustments(
            listen="",  # the socket is here already
            ident=None,
            connection_limit=CONNECTIONS,
            cleanup_interval=CHECK_S,
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=max(DISCARD_BYTES, 2 * max_bytes),  # and the heads of chunks
            outbuf_overflow=2**30,  # answers wait in memory, never in a temporary file
            outbuf_high_watermark=2**30,  # and no thread waits until they are taken
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
        )
        dispatcher = ThreadedTaskDispatcher()
        self._reader = 0
        self._short: list[Channel] = []
        """Connections with a short request that has arrived and that nobody answers yet."""
        self._one_cpu = usable_cpus() == 1
        self._answered = False
        """Whether a request was answered since memory was given back."""
        super().__init__(
            None,
            map={},
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def may_hold(self) -> bool:
        """Whether memory allows for more of what arrives."""
        held_bytes: int = sum(channel.held_bytes for channel in self.active_channels.values())
        return held_bytes <= self._most_held_bytes

    def serve(self) -> None:
        """Until SIGTERM or SIGINT, and then until all is answered."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        self.serve_until_stopped()

    def serve_until_stopped(self) -> None:
        """Until `stop` is called by any thread, and then until all is answered."""
        self._reader = threading.get_ident()
        while not self._stopped():
            wasyncore.poll2(1.0 if self._stop_at_s is None else 0.05, self._map)
            while self._short:
                self._answer_short()
        self.task_dispatcher.set_thread_count(0)
        wasyncore.close_all(self._map)

    def add_task(self, channel: Channel) -> None:
        """Called for a connection whose next request has arrived."""
        self._answered = True
        if channel.hold_up():
            return
        if threading.get_ident() == self._reader and self._is_short(channel.requests[0]):
            self._short.append(channel)
        else:
            self._hand_over(channel)

    def _is_short(self, request: Parser) -> bool:
        """Whether its answer is a matter of a millisecond or two."""
        if request.error or request.body_bytes_received > SHORT_BYTES or request.may_grow:
            return False
        return self.endpoint.service.classifier.loaded or request.path == "/health"

    def _answer_short(self) -> None:
        """Here, where it need not wait; several processors share several requests."""
        channels, self._short = self._short, []
        may_run = self._one_cpu or len(channels) == 1
        for channel in channels:
            if channel.requests[0].path == "/health" or (may_run and not self._busy()):
                channel.service()
            else:
                self._hand_over(channel)

    def _hand_over(self, channel: Channel) -> None:
        """Let a thread answer; there are as many as were needed at once, up to THREADS."""
        dispatcher = self.task_dispatcher
        if self._busy() >= len(dispatcher.threads) < THREADS:  # one that starts counts twice
            dispatcher.set_thread_count(len(dispatcher.threads) + 1)
        dispatcher.add_task(channel)

    def _busy(self) -> int:
        """Threads that answer, and requests that wait for one."""
        return int(self.task_dispatcher.active_count) + len(self.task_dispatcher.queue)

    def pull_trigger(self) -> None:
        """Wake the reading thread; it is awake when it calls this itself."""
        if threading.get_ident() != self._reader:
            super().pull_trigger()

    def stop(self) -> None:
        """Called by a handler of signals, which interrupts the reading thread, or by a thread."""
        if self._stop_at_s is None:
            self._stop_at_s = time.monotonic() + STOP_S
            with suppress(OSError):  # it was awake, and has ended by now
                super().pull_trigger()

    def _stopped(self) -> bool:
        """While it stops: take no connection, close idle ones; true when nothing is left."""
        if self._stop_at_s is None:
            return False
        if self.accepting:
            while len(self._map) < CONNECTIONS and self._accept_waiting():
                pass
            self.accepting = False
            self.del_channel(self._map)
            self.socket.close()
        now = time.time()
        for channel in self.active_channels.values():
            channel.will_close = channel.will_close or channel.is_idle(now)
        return not self.active_channels or time.monotonic() > self._stop_at_s

    def _accept_waiting(self) -> bool:
        """Take a connection that waits to be accepted; false when none does."""
        before = len(self.active_channels)
        self.handle_accept()
        return len(self.active_channels) > before

    def maintenance(self, now: float) -> None:
        """Close what waited too long, as the module says; in a pause, give freed memory back."""
        if self._answered and not self._busy():
            self._answered = False
            with suppress(AttributeError):  # not glibc
                ctypes.CDLL(None).malloc_trim(0)
        for channel in [*self.active_channels.values()]:
            if channel.waits_since() < now - (REQUEST_S if channel.is_halfway() else IDLE_S):
                channel.handle_close()  # at once: one that takes nothing is never writable
