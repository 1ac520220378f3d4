"""How is the real function started, watched and ended? One instance, or several at one address.

It is started as `make run` starts it, in a process group of its own, with its log in a file.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_S = 60.0
ANSWER_S = 6.0
"""A server that does not answer a health check for so long counts as hung."""
COMMAND = (sys.executable, "-m", "function.start")
"""What `make run` starts; it takes PORT from the environment."""


class ServerError(RuntimeError):
    """The server is gone or hung; the message says which, and ends with its last words."""


class Server:
    """One running function. `started_s` and times given are of `time.perf_counter`."""

    def __init__(self, bundle: Path, log: Path) -> None:
        self.port = free_port()
        self.log = log
        settings = {"BUNDLE": str(bundle.resolve()), "HOST": HOST, "PORT": str(self.port)}
        environment = {**os.environ, **settings}
        self.started_s = time.perf_counter()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                COMMAND,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_listening(self) -> float:
        """When it first took a connection; raises ServerError."""
        while time.perf_counter() < self.started_s + START_S:
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None:
                    raise ServerError(f"the server did not start: {self._last_words()}") from None
                time.sleep(0.002)
            else:
                return time.perf_counter()
        raise ServerError(f"the server was not listening after {START_S:.0f} s")

    def ask(self, body: bytes | None, path: str = "/", timeout_s: float = START_S) -> Any:
        """The JSON of one answer; raises ServerError."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout_s)
        try:
            connection.request("GET" if body is None else "POST", path, body)
            response = connection.getresponse()
            answer = response.read()
        except OSError as error:
            raise ServerError(self._what_happened(error)) from None
        finally:
            connection.close()
        if response.status != 200:
            said = answer[:300].decode(errors="replace")
            raise ServerError(f"{path} was answered with {response.status}: {said}")
        return json.loads(answer)

    def check(self, before: list[int] | None = None) -> None:
        """Raise ServerError when it is gone, does not answer, or lost one of its processes."""
        self.ask(None, "/health", ANSWER_S)
        lost = set(before or ()) - set(self.pids())
        if lost:
            raise ServerError(f"the server lost its process {min(lost)} and started another")

    def pids(self) -> list[int]:
        return [process.pid for process in self._tree()]

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._tree())

    def memory_mb(self) -> float:
        """Memory in MiB of all its processes; what they share counts once."""
        return float(sum(process.memory_full_info().pss for process in self._tree())) / 2**20

    def lines(self, since: int = 0) -> list[dict[str, Any]]:
        """What it logged after the first `since` bytes."""
        text = self.log.read_bytes()[since:].decode(errors="replace")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def stop(self) -> None:
        """End all its processes, whatever state they are in."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, sign)
                self._process.wait(2 if sign == signal.SIGTERM else None)
            except ProcessLookupError:
                pass
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()

    def _tree(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise ServerError(f"the server is gone: {self._last_words()}") from None

    def _what_happened(self, error: OSError) -> str:
        if self._process.poll() is not None:
            code = self._process.returncode
            return f"the server died (exit status {code}): {self._last_words()}"
        if isinstance(error, TimeoutError):
            return f"the server hung: no answer within {ANSWER_S:.0f} s"
        return f"the server does not answer: {error}"

    def _last_words(self) -> str:
        words = self.log.read_text(errors="replace").strip().splitlines()
        return words[-1][:300] if words else "it said nothing"


@contextmanager
def serving(bundle: Path, log: Path) -> Iterator[Server]:
    """A server that has loaded its bundle; it is ended afterwards."""
    server = Server(bundle, log)
    try:
        server.wait_until_listening()
        server.ask(None, "/ready")
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
