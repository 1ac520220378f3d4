"""Callers that send traffic at once over connections that they keep, and check each answer."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress

from httptools import HttpResponseParser

from profiling.reliability.traffic import Exchange, Traffic
from profiling.report.load.connection import Response

HOST = "127.0.0.1"
TIMEOUT_S = 30.0
STALLED = 2
"""Connections with half of a request that a caller leaves open."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that resets."""
AGAIN_S = 0.1


class Callers:
    """So many callers, and what they saw. `broken` counts what `may_break` allowed."""

    def __init__(
        self, traffic: Traffic, port: int, count: int, seed: int, may_break: Callable[[], bool]
    ) -> None:
        """`may_break`: whether a fault is about that explains a connection that breaks."""
        self.traffic = traffic
        self.port = port
        self.answers: Counter[str] = Counter()
        """By kind and status, as `list 200`."""
        self.wrong: list[str] = []
        """What should not have been, in words."""
        self.broken = 0
        self.excused = 0
        """Answers with 503 while the bundle was damaged."""
        self.may_break = may_break
        self._remaining = 0
        self._lock = threading.Lock()
        self._seeds = random.Random(seed)
        self._count = count

    def send(self, requests: int) -> None:
        """Let the callers send so many requests together."""
        self._remaining = requests
        threads = [
            threading.Thread(target=Sender(self, self._seeds.random()).run)
            for _ in range(self._count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def take(self) -> bool:
        """Whether there is one more to send."""
        with self._lock:
            self._remaining -= 1
            return self._remaining >= 0

    def note(self, exchange: Exchange, status: int, problem: str | None = None) -> None:
        with self._lock:
            self.answers[f"{exchange.kind} {status}"] += 1
            if problem is not None:
                self.wrong.append(problem)

    def note_broken(self, exchange: Exchange, error: Exception) -> None:
        with self._lock:
            if self.may_break():
                self.broken += 1
            else:
                self.wrong.append(f"{exchange.kind}: no answer ({error!r})")

    def note_unusable(self, exchange: Exchange) -> bool:
        """Whether a 503 is explained by a bundle that was damaged."""
        with self._lock:
            if self.may_break():
                self.excused += 1
                return True
            return False


class Sender:
    """One of them, with a connection."""

    def __init__(self, callers: Callers, seed: float) -> None:
        self._callers = callers
        self._dice = random.Random(seed)
        self._socket: socket.socket | None = None
        self._stalled: deque[socket.socket] = deque()

    def run(self) -> None:
        while self._callers.take():
            exchange = self._callers.traffic.draw(self._dice)
            try:
                if exchange.statuses:
                    self._ask(exchange)
                else:
                    self._leave(exchange)
            except (OSError, ValueError) as error:
                self._close()
                self._callers.note_broken(exchange, error)
                time.sleep(AGAIN_S)
        self._close()
        for wire in self._stalled:
            wire.close()

    def _ask(self, exchange: Exchange) -> None:
        if self._socket is None:
            self._socket = self._connect()
        self._socket.sendall(exchange.data)
        response = Response()
        parser = HttpResponseParser(response)
        while not response.complete:
            part = self._socket.recv(2**16)
            if not part:
                raise ConnectionResetError("closed before the whole answer")
            parser.feed_data(part)
        status = parser.get_status_code()
        if response.headers.get("connection", "").lower() == "close":
            self._close()
        self._callers.note(exchange, status, self._problem(exchange, status, response.body))

    def _problem(self, exchange: Exchange, status: int, body: bytes) -> str | None:
        if status == 503 and self._callers.note_unusable(exchange):
            return None
        if status not in exchange.statuses:
            return f"{exchange.kind}: {status} {body[:200]!r}"
        if exchange.protocol and status == 200:
            labels = exchange.protocol.labels(json.loads(body))
            if labels != exchange.labels:
                return f"{exchange.kind}: answered {labels}, expected {exchange.labels}"
        return None

    def _leave(self, exchange: Exchange) -> None:
        """Send half of a request, and then nothing, or a reset."""
        wire = self._connect()
        wire.sendall(exchange.data)
        if exchange.kind == "reset":
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            wire.close()
        else:
            self._stalled.append(wire)
            if len(self._stalled) > STALLED:
                self._stalled.popleft().close()
        self._callers.note(exchange, 0)

    def _connect(self) -> socket.socket:
        wire = socket.create_connection((HOST, self._callers.port), TIMEOUT_S)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire

    def _close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None
