"""The deployed process: loaded before it listens, lean, and patient with what is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from profiling import process_tree
from profiling.server import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0


@contextmanager
def started(log: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """The process and its port, as soon as it listens."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "function.start"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline_s = time.monotonic() + START_S
        while not any(entry.laddr.port == port for entry in _listening(process.pid)):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        yield process.pid, port
    finally:
        process_tree.end(process.pid)
        process.wait()


def _listening(pid: int) -> list[Any]:
    found = psutil.Process(pid).net_connections("tcp")
    return [entry for entry in found if entry.status == psutil.CONN_LISTEN]


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=START_S)
    connection.request(method, path, body)
    response = connection.getresponse()
    document = json.loads(response.read())
    connection.close()
    return response.status, document


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_the_first_request_finds_the_bundle_loaded(bundle_path: Path, tmp_path: Path) -> None:
    with started(tmp_path / "log", BUNDLE=str(bundle_path)) as (_, port):
        status, document = ask(port, "POST", "/", '{"inputs": "raw honey"}')
    assert status == 200
    assert document["predictions"][0]["source"][0]["label"] == "animal_product"
    profile = lines(tmp_path / "log")[0]["profile"]
    assert profile["cold"] is True
    (load,) = (span for span in profile["spans"] if span["name"] == "load")
    (boot,) = (span for span in profile["spans"] if span["name"] == "boot")
    (request,) = (span for span in profile["spans"] if span["name"] == "request")
    assert load["start_ms"] + load["duration_ms"] < boot["start_ms"] < request["start_ms"]


def test_only_the_first_request_is_cold(bundle_path: Path, tmp_path: Path) -> None:
    with started(tmp_path / "log", BUNDLE=str(bundle_path)) as (_, port):
        for _ in range(3):
            ask(port, "POST", "/", '{"inputs": "raw honey"}')
    assert [line["profile"]["cold"] for line in lines(tmp_path / "log")] == [True, False, False]


def test_master_and_worker_run_no_thread_that_a_fork_would_lose(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(tmp_path / "log", BUNDLE=str(bundle_path)) as (pid, port):
        ask(port, "GET", "/ready")
        master, *workers = process_tree.tree(pid)
        assert master.num_threads() == 1
        assert len(workers) == 1


def test_threads_that_share_a_run_are_started_after_the_fork(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(tmp_path / "log", BUNDLE=str(bundle_path), ORT_THREADS="2") as (_, port):
        status, _ = ask(port, "POST", "/", '{"inputs": "raw honey"}')
    assert status == 200
    spans = lines(tmp_path / "log")[0]["profile"]["spans"]
    assert "load" in {span["name"] for span in spans}


def test_a_broken_bundle_is_said_at_the_first_request(bundle_path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bundle_path, broken)
    (broken / "model.onnx").write_bytes(b"not a graph")
    with started(tmp_path / "log", BUNDLE=str(broken)) as (_, port):
        assert ask(port, "GET", "/health") == (200, {"status": "alive"})
        status, document = ask(port, "POST", "/", '{"inputs": "raw honey"}')
    assert status == 503
    assert "model.onnx" in document["error"]["message"]


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_wrong_port_is_named(port: str, bundle_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "function.start"],
        cwd=ROOT,
        env={**os.environ, "PORT": port, "BUNDLE": str(bundle_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S,
    )
    assert done.returncode == 1
    assert f"PORT='{port}': give a number from 1 to 65535" in done.stderr
