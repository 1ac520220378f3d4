"""How does the benchmark talk to a server: as soon as it listens, one by one, and all at once?"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import IO, Any

PATIENCE_S = 120.0
POLL_S = 0.001
BURST_CLIENTS = 8
BURST_TEXTS = 32
BURST_ROUNDS = 4
LONG_TEXT = "boneless chicken breast with raw honey and butter " * 8  # 64 tokens and more


class StartError(Exception):
    """A contender did not start, died, or answered wrongly; the message holds its output."""


@contextmanager
def connected(
    process: subprocess.Popen[bytes], port: int, log: IO[bytes]
) -> Iterator[HTTPConnection]:
    """A connection made as soon as the process listens: the first request goes over it."""
    deadline_s = time.perf_counter() + PATIENCE_S
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    while True:
        try:
            connection.connect()
            break
        except OSError:
            if process.poll() is not None or time.perf_counter() > deadline_s:
                raise StartError(f"it does not listen:\n{output(log)}") from None
            time.sleep(POLL_S)
    try:
        yield connection
    finally:
        connection.close()


def post(connection: HTTPConnection, texts: list[str], log: IO[bytes]) -> Any:
    try:
        connection.request(
            "POST",
            "/",
            json.dumps({"inputs": texts}),
            {"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        body = response.read()
    except OSError as error:
        raise StartError(f"no answer ({error}):\n{output(log)}") from None
    if response.status != 200:
        raise StartError(f"{response.status} {body.decode()}\n{output(log)}")
    return json.loads(body)


def warm(port: int, sentence: str, requests: int, log: IO[bytes]) -> list[float]:
    """Milliseconds of each request, one after the other over one connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    taken_ms = []
    for _ in range(requests):
        began_s = time.perf_counter()
        post(connection, [sentence], log)
        taken_ms.append((time.perf_counter() - began_s) * 1000)
    connection.close()
    return taken_ms


def burst(port: int, log: IO[bytes]) -> None:
    """Many clients with many long texts at once."""
    failures: list[BaseException] = []

    def client() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            for _ in range(BURST_ROUNDS):
                post(connection, [LONG_TEXT] * BURST_TEXTS, log)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(BURST_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise StartError(f"a client of the burst failed: {failures[0]}")


def output(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-2000:]
