"""The classifier in this process, and the real server in its own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from function.classifier import Classifier

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 60


@pytest.fixture(scope="session")
def classifier(bundle_path: Path) -> Classifier:
    return Classifier.load(bundle_path)


@dataclass(frozen=True)
class Answer:
    """One response of the server."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running functions-framework, and the file its stdout and stderr go to."""

    port: int
    log: Path

    def request(
        self,
        method: str,
        path: str = "/",
        body: str | bytes | IO[bytes] | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        data = body.encode() if isinstance(body, str) else body
        try:
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, question: Mapping[str, Any], **headers: str) -> Answer:
        return self.request("POST", "/", json.dumps(question), headers)

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, end there, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as wire:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65536), b""))

    def lines(self) -> list[dict[str, Any]]:
        """Everything logged so far; fails when a line is not a JSON object."""
        entries = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        assert all(isinstance(entry, dict) for entry in entries)
        return entries

    def last(self) -> dict[str, Any]:
        return self.lines()[-1]


@contextmanager
def serving(bundle: Path, log: Path, **settings: str) -> Iterator[Server]:
    """The command that the image starts, on a free port; ends it and waits afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "BUNDLE": str(bundle), **settings}
    command = [sys.executable, "-m", "functions_framework", "--source", "main.py"]
    command += ["--target", "classify", "--signature-type", "http"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_listening(process, port, log)
        yield Server(port, log)
    finally:
        process.terminate()
        process.wait(START_S)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"not listening after {START_S} s: {log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(bundle_path, log, GOOGLE_CLOUD_PROJECT="testing") as running:
        yield running


@pytest.fixture(scope="session")
def cold_log(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Lines of a server whose bundle was asked for by sixteen requests at once."""
    log = tmp_path_factory.mktemp("cold") / "log"
    with (
        serving(bundle_path, log, THREADS="16") as running,
        ThreadPoolExecutor(16) as pool,
    ):
        answers = list(pool.map(running.ask, [{"inputs": "raw honey"}] * 16))
        assert [answer.status for answer in answers] == [200] * 16
        assert len({answer.body for answer in answers}) == 1
        running.ask({"inputs": "raw honey"})
        return running.lines()
