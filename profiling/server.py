"""How is the real function started, asked, watched and ended? The one way, for tests and tools.

    with serving(bundle, log) as server:
        answer = server.ask({"inputs": "raw honey"})

The function runs in a process group of its own, on this machine's loopback, its log in a file.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from profiling import process_tree

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_S = 60.0
"""How long a server may take to listen, or to answer."""
POLL_S = 0.001
LOGGED_S = 0.02
"""The image's server sends an answer first, and then writes its line."""
HUNG_S = 6.0
"""A server that does not answer a health check for so long counts as hung."""
FIRST_PORT = 20_000 + secrets.randbelow(10_000)
"""Drawn, since another process may be looking for a port, too."""
FROM_IMAGE = ("-I", "-S", "function/start.py")
"""What the image and `make run` start."""
FROM_SOURCE = (
    *("-m", "functions_framework", "--source", "main.py", "--target", "classify"),
    *("--signature-type", "http", "--host", HOST),
)
"""What Google's buildpack starts in a deployment from source."""


class ServerError(RuntimeError):
    """The server is gone, hung or answered wrongly; the message ends with the end of its log."""


@dataclass(frozen=True)
class Answer:
    """One HTTP response, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """One running function; `started_s` is of `time.perf_counter`."""

    def __init__(
        self,
        bundle: Path,
        log: Path,
        *,
        command: tuple[str, ...] = FROM_IMAGE,
        python: str = sys.executable,
        stdout: int | None = None,
        **settings: str,
    ) -> None:
        """Start `command` with `python` on a free port; `settings` go into its environment.

        Its output goes into the file `log`; standard output to a descriptor, where one is given.
        """
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        self.log = log
        address = {"BUNDLE": str(bundle.resolve()), "HOST": HOST, "PORT": str(self.port)}
        self.started_s = time.perf_counter()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [python, *command],
                cwd=ROOT,
                env={**os.environ, **address, **settings},
                stdout=output if stdout is None else stdout,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def wait_until_listening(self) -> None:
        """Return once it takes connections; raises ServerError."""
        connect(self.process, self.port, self.log).close()

    def request(
        self,
        method: str,
        path: str = "/",
        body: str | bytes | IO[bytes] | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = START_S,
    ) -> Answer:
        """Any request over a connection of its own; raises ServerError when no answer comes."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout_s)
        data = body.encode() if isinstance(body, str) else body
        try:
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except OSError as error:
            raise ServerError(self._diagnosis(error, timeout_s)) from None
        finally:
            connection.close()

    def ask(self, question: Mapping[str, Any], **headers: str) -> Answer:
        """POST a question; whatever its status, the answer."""
        return self.request("POST", "/", json.dumps(question), headers)

    def expect(self, method: str, path: str, body: bytes | None = None, **options: Any) -> Any:
        """The JSON of an answer with 200; raises ServerError for any other."""
        answer = self.request(method, path, body, **options)
        if answer.status != 200:
            excerpt = answer.body[:300].decode(errors="replace")
            raise ServerError(f"{path} was answered with {answer.status}: {excerpt}")
        return answer.json

    def send_raw(self, data: bytes) -> bytes:
        """Send bytes as they are, end there, and return all that comes back."""
        with socket.create_connection((HOST, self.port), timeout=START_S) as wire:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    def check(self, pids_before: list[int]) -> None:
        """Raise ServerError when it is gone, does not answer, or lost one of its processes."""
        self.expect("GET", "/health", timeout_s=HUNG_S)
        lost = set(pids_before) - set(self.pids())
        if lost:
            raise ServerError(f"the server lost its process {min(lost)} and started another")

    def pids(self) -> list[int]:
        """Of all its processes; raises ServerError when it is gone."""
        pids = [process.pid for process in process_tree.tree(self.pid)]
        if not pids:
            raise ServerError(f"the server is gone: {last_lines(self.log)}")
        return pids

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        return process_tree.cpu_s(self.pid)

    def memory_mb(self) -> float:
        """Memory in MiB of all its processes; what they share counts once."""
        return process_tree.pss_mb(self.pid)

    def lines(self, since: int = 0) -> list[dict[str, Any]]:
        """The JSON lines that it logged after the first `since` bytes."""
        time.sleep(LOGGED_S)
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def last_line(self) -> dict[str, Any]:
        return self.lines()[-1]

    def stop(self) -> None:
        """End all its processes, whatever state they are in."""
        process_tree.end(self.pid)
        self.process.wait()

    def _diagnosis(self, error: OSError, timeout_s: float) -> str:
        if self.process.poll() is not None:
            code = self.process.returncode
            return f"the server died (exit status {code}): {last_lines(self.log)}"
        if isinstance(error, TimeoutError):
            return f"the server hung: no answer within {timeout_s:.0f} s"
        return f"the server does not answer: {error}"


def connect(process: subprocess.Popen[bytes], port: int, log: Path) -> socket.socket:
    """A connection to a process just started, made as soon as it listens; raises ServerError."""
    deadline_s = time.perf_counter() + START_S
    while time.perf_counter() < deadline_s:
        try:
            return socket.create_connection((HOST, port), timeout=START_S)
        except OSError:
            if process.poll() is not None:
                raise ServerError(f"the server did not start: {last_lines(log)}") from None
            time.sleep(POLL_S)
    raise ServerError(f"the server was not listening after {START_S:.0f} s: {last_lines(log)}")


def last_lines(log: Path, count: int = 1) -> str:
    """The end of a log, for a message."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(line[:300] for line in lines[-count:]) or "its log is empty"


@contextmanager
def listening(bundle: Path, log: Path, **options: Any) -> Iterator[Server]:
    """A server that takes connections; it is ended afterwards. `options` are Server's."""
    server = Server(bundle, log, **options)
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.stop()


@contextmanager
def serving(bundle: Path, log: Path, **options: Any) -> Iterator[Server]:
    """A server that has loaded its bundle; it is ended afterwards. `options` are Server's."""
    with listening(bundle, log, **options) as server:
        server.expect("GET", "/ready")
        yield server


def free_port() -> int:
    """Below the range that clients get: connecting to a free port of that range can succeed.

    (The system may choose the very port as the client's own, and TCP then connects to itself.)
    """
    for port in range(FIRST_PORT, 32_000):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ServerError("no free port below 32000")
