"""What functions-framework and gunicorn let one set, and what they answer by themselves."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from function.http.framework import READ_S
from profiling.server import Server, ServerError
from tests.function.http.test_image_server import STALLED, ask, stalled
from tests.serving import ROOT, WAYS, Answer, StrictServer, serving

pytestmark = pytest.mark.slow
SECRET = "Zanzibarzebra"


def test_a_kept_connection_takes_the_next_request_after_seconds(
    bundle_path: Path, tmp_path: Path
) -> None:
    with (
        serving(bundle_path, tmp_path / "log", "source") as server,
        stalled(server.port, b"", 1) as (wire,),
    ):
        assert b"200 OK" in ask(wire)
        time.sleep(3.5)  # gunicorn's own default is 2, and it looks every second
        assert b"200 OK" in ask(wire)


@pytest.mark.reliability
def test_stalled_clients_hold_others_up_for_a_stated_time(
    bundle_path: Path, tmp_path: Path
) -> None:
    """As many as there are threads."""
    kinds = ["half a header", "half a body", "half a chunk", "half a header"]
    settings = {"THREADS": str(len(kinds))}
    with serving(bundle_path, tmp_path / "log", "source", **settings) as server:
        server.request("GET", "/health")  # the worker is there
        wires = []
        for kind in kinds:
            wires.append(socket.create_connection(("127.0.0.1", server.port)))
            wires[-1].sendall(STALLED[kind])
        time.sleep(0.5)
        assert server.request("GET", "/health", timeout_s=READ_S + 15).status == 200
        assert server.ask({"inputs": "raw honey"}).status == 200
        for wire in wires:
            wire.close()


def test_as_many_stalled_clients_as_processors_hold_nobody_up(
    bundle_path: Path, tmp_path: Path
) -> None:
    with serving(bundle_path, tmp_path / "log", "source") as server:
        for data in STALLED.values():
            with stalled(server.port, data, 6):
                assert server.request("GET", "/health", timeout_s=2).status == 200


def test_the_end_waits_for_no_stalled_client(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "source") as server:
        server.ask({"inputs": "raw honey"})
        with stalled(server.port, STALLED["half a body"], 2):
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(9) == 0


def test_what_the_server_answers_by_itself_has_its_line(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    long_header = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(
        f"X-{SECRET}-{number}: {SECRET * 300}\r\n".encode() for number in range(200)
    )
    with serving(bundle_path, tmp_path / "log", way) as server:
        for data in (long_header + b"\r\n", f"{SECRET}\r\n\r\n".encode()):
            with socket.create_connection(("127.0.0.1", server.port)) as wire:
                wire.sendall(data)
                assert wire.recv(12)[9:12] in (b"400", b"431")
        for path in ("/favicon.ico", "/robots.txt", f"//{SECRET}"):
            answer = server.request("GET", path)
            assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
        lines = server.lines()
        assert SECRET not in server.log.read_text()
    assert [line["profile"]["status"] for line in lines] == [431, 400, 404, 404, 404]
    assert {line["severity"] for line in lines} == {"WARNING"}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("MAX_TEXTS", "lots", "MAX_TEXTS='lots': expected a whole number from 1"),
        ("PROFILE_SAMPLE", "2", "PROFILE_SAMPLE='2': expected a number from 0 to 1"),
        ("THREADS", "many", "THREADS='many': expected a whole number from 1"),
        ("WORKERS", "0", "WORKERS='0': expected a whole number from 1"),
        ("WEB_CONCURRENCY", "x", "WEB_CONCURRENCY='x': expected a whole number from 1"),
        ("CLOUD_RUN_TIMEOUT_SECONDS", "", "CLOUD_RUN_TIMEOUT_SECONDS='': expected a whole number"),
    ],
)
def test_a_wrong_variable_is_one_line(key: str, value: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, *WAYS["source"], "--port", "8099"],
        cwd=ROOT, env={key: value}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 1


def test_no_folder_for_temporary_files_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, *WAYS["source"], "--port", "8099"],
        cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )  # fmt: skip
    assert done.stderr.splitlines() == [
        "no folder for temporary files can be written to; set TMPDIR to one that can"
    ]


def test_the_image_needs_no_folder_for_temporary_files(bundle_path: Path, tmp_path: Path) -> None:
    """Not even for long answers to clients that take their time."""
    without = ("-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, *WAYS["image"])
    question = json.dumps({"inputs": ["raw honey"] * 200, "top_k": 100}).encode()
    with serving(bundle_path, tmp_path / "log", python="sh", command=without) as server:
        answer = server.request("POST", "/", question)
        assert (answer.status, len(answer.json["predictions"])) == (200, 200)


def test_a_worker_that_was_killed_comes_back_and_says_so(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "source") as server:
        server.ask({"inputs": "raw honey"})
        time.sleep(1.5)
        kill_worker(server)
        assert retried(server).status == 200
        first, *_, last = Server.lines(server)
    assert "restart" not in first["profile"]["instance"]
    assert last["profile"]["instance"]["restart"] is True
    assert last["profile"]["instance"]["age_s"] < 1.5
    names = [span["name"] for span in last["profile"]["spans"]]
    assert "load" in names
    assert not {"framework", "boot"} & set(names)


def kill_worker(server: StrictServer) -> None:
    worker = next(pid for pid in server.pids() if pid != server.pid)
    os.kill(worker, signal.SIGKILL)


def retried(server: StrictServer) -> Answer:
    """As a balancer sends it again when the connection breaks."""
    for _ in range(100):
        try:
            return server.ask({"inputs": "raw honey"})
        except (ServerError, http.client.HTTPException):
            time.sleep(0.05)
    raise ServerError("no answer")
