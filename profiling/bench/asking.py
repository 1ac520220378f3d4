"""How does a benchmark talk to a server: over one kept connection, and from many callers at once?

A server is known by its port and its log: our own, one on Node, or a pipeline.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from socket import socket
from typing import Any

from profiling.server import HOST, ServerError, last_lines

TIMEOUT_S = 120.0
BURST_CLIENTS = 8
BURST_TEXTS = 32
BURST_ROUNDS = 4
LONG_TEXT = "boneless chicken breast with raw honey and butter " * 8  # 64 tokens and more
LOG_LINES = 20


class Caller:
    """Sends texts over one connection that is kept; `close` ends it."""

    def __init__(self, port: int, log: Path, connected: socket | None = None) -> None:
        """`connected` is a connection that is there already."""
        self._connection = HTTPConnection(HOST, port, timeout=TIMEOUT_S)
        self._connection.sock = connected
        self._log = log

    def post(self, texts: list[str]) -> Any:
        """The JSON of the answer; raises ServerError when there is none with status 200."""
        headers = {"Content-Type": "application/json"}
        try:
            self._connection.request("POST", "/", json.dumps({"inputs": texts}), headers)
            response = self._connection.getresponse()
            body = response.read()
        except OSError as error:
            raise ServerError(f"no answer ({error}):\n{last_lines(self._log, LOG_LINES)}") from None
        if response.status != 200:
            problem = f"answered {response.status}: {body.decode(errors='replace')}"
            raise ServerError(f"{problem}\n{last_lines(self._log, LOG_LINES)}")
        return json.loads(body)

    def times_ms(self, text: str, requests: int) -> list[float]:
        """Milliseconds of each request for one text, one after another; raises ServerError."""
        times_ms = []
        for _ in range(requests):
            start_s = time.perf_counter()
            self.post([text])
            times_ms.append((time.perf_counter() - start_s) * 1000)
        return times_ms

    def close(self) -> None:
        self._connection.close()


def burst(port: int, log: Path) -> None:
    """Many callers with many long texts at once; raises ServerError when one of them fails."""

    def call(_: int) -> None:
        with closing(Caller(port, log)) as caller:
            for _ in range(BURST_ROUNDS):
                caller.post([LONG_TEXT] * BURST_TEXTS)

    with ThreadPoolExecutor(BURST_CLIENTS) as pool:
        list(pool.map(call, range(BURST_CLIENTS)))
