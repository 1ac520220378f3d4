"""The real function while its log cannot be written: nobody misses an answer for it."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving import WAYS, serving

pytestmark = pytest.mark.slow
COMPLAINT = "log lines are dropped and counted"
SECRET = "Zanzibarzebra"


def test_a_full_disk(way: str, bundle_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        Path("/dev/full").open("wb") as full,
        serving(bundle_path, log, way, stdout=full.fileno()) as server,
    ):
        answers = [server.ask({"inputs": "raw honey"}) for _ in range(3)]
        answers += [server.request("GET", path) for path in ("/health", "/ready", "/nothing")]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 200, 404]
    assert log.read_text().count(COMPLAINT) == 1


def test_a_closed_standard_output(way: str, bundle_path: Path, tmp_path: Path) -> None:
    closing = ("-c", 'exec "$@" >&-', "sh", sys.executable, *WAYS[way])
    log = tmp_path / "log"
    with serving(bundle_path, log, python="sh", command=closing) as server:
        assert server.request("GET", "/health").status == 200
        answers = [server.ask({"inputs": "raw honey"}) for _ in range(3)]
        assert len({answer.body for answer in answers}) == 1
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert log.read_text().count(COMPLAINT) == 1


def test_a_pipe_that_nobody_reads_until_later(way: str, bundle_path: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with serving(bundle_path, tmp_path / "log", way, stdout=writing) as server:
        os.close(writing)
        statuses = {server.request("GET", "/health").status for _ in range(600)}
        content: list[bytes] = []
        with os.fdopen(reading, "rb") as pipe:
            reader = threading.Thread(target=lambda: content.extend(pipe))
            reader.start()
            posts = 0
            while not any(b"POST / 200" in line for line in content):
                statuses.add(server.ask({"inputs": "raw honey"}).status)
                posts += 1
                assert posts < 1000
            server.process.terminate()
            server.process.wait(10)
            server.stop()
            reader.join()
    lines = [json.loads(line) for line in content]
    assert statuses == {200}
    assert len(lines) + sum(line["profile"].get("dropped", 0) for line in lines) == 600 + posts
    assert lines[-1]["message"] == "POST / 200"


def test_a_framework_that_rewrites_what_is_printed(bundle_path: Path, tmp_path: Path) -> None:
    """functions-framework replaces sys.stdout where LOG_EXECUTION_ID is set."""
    settings = {"LOG_EXECUTION_ID": "true", "GOOGLE_CLOUD_PROJECT": "testing"}
    headers = {"Function-Execution-Id": SECRET, "X-Cloud-Trace-Context": f"{'a' * 32}/17;o=1"}
    with serving(bundle_path, tmp_path / "log", "source", **settings) as server:

        def ask(_: int) -> int:
            return server.request("GET", "/health", headers=headers).status

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(ask, range(1000))) == {200}
        server.ask({"inputs": SECRET}, **headers)
        lines: list[dict[str, Any]] = server.lines()
        assert SECRET not in server.log.read_text()
    assert len(lines) == 1001
    spans = {line["logging.googleapis.com/spanId"] for line in lines}
    assert spans == {f"{17:016x}"}
    assert re.fullmatch("[0-9a-f]{16}", spans.pop())
