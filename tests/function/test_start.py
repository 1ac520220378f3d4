"""The deployed process: loaded before it listens, lean, and patient with what is broken."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from profiling import process_tree
from tests.serving import ROOT, StrictServer, serving


@contextmanager
def started(bundle: Path, tmp_path: Path, **settings: str) -> Iterator[StrictServer]:
    """As the image starts it."""
    with serving(bundle, tmp_path / "log", "image", **settings) as server:
        yield server


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_first_request_finds_the_bundle_loaded(bundle_path: Path, tmp_path: Path) -> None:
    with started(bundle_path, tmp_path) as server:
        answer = server.ask({"inputs": "raw honey"})
        profile = server.lines()[0]["profile"]
    assert answer.status == 200
    assert answer.json["predictions"][0]["source"][0]["label"] == "animal_product"
    assert profile["cold"] is True
    (load,) = (span for span in profile["spans"] if span["name"] == "load")
    (boot,) = (span for span in profile["spans"] if span["name"] == "boot")
    (request,) = (span for span in profile["spans"] if span["name"] == "request")
    assert load["start_ms"] + load["duration_ms"] < boot["start_ms"] < request["start_ms"]


def test_what_loads_beside_the_import_of_the_framework_has_parents_of_its_own(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(bundle_path, tmp_path) as server:
        server.ask({"inputs": "raw honey"})
        rows = server.lines()[0]["profile"]["spans"]
    parents = {
        row["name"]: None if row["parent"] is None else rows[row["parent"]]["name"] for row in rows
    }
    outermost = {name for name, parent in parents.items() if parent is None}
    assert outermost >= {"framework", "load", "import_framework", "boot", "idle", "request"}
    assert (parents["import_numpy"], parents["session"]) == ("load", "load")
    assert (parents["tokenize"], parents["run"]) == ("request", "request")


def test_only_the_first_request_is_cold(bundle_path: Path, tmp_path: Path) -> None:
    with started(bundle_path, tmp_path) as server:
        for _ in range(3):
            server.ask({"inputs": "raw honey"})
        assert [line["profile"]["cold"] for line in server.lines()] == [True, False, False]


def test_master_and_worker_run_no_thread_that_a_fork_would_lose(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(bundle_path, tmp_path) as server:
        server.request("GET", "/ready")
        master, *workers = process_tree.tree(server.pid)
        assert master.num_threads() == 1
        assert len(workers) == 1


def test_threads_that_share_a_run_are_started_after_the_fork(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(bundle_path, tmp_path, ORT_THREADS="2") as server:
        assert server.ask({"inputs": "raw honey"}).status == 200
        spans = server.lines()[0]["profile"]["spans"]
    assert "load" in {span["name"] for span in spans}


def test_a_graph_that_cannot_be_loaded_is_reported_by_the_first_request(
    bundle_path: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bundle_path, broken)
    (broken / "model.onnx").write_bytes(b"not a graph")
    with started(broken, tmp_path) as server:
        assert server.request("GET", "/health").json == {"status": "alive"}
        answer = server.ask({"inputs": "raw honey"})
        line = server.last_line()
    assert answer.status == 503
    assert "model.onnx: 11 bytes" in answer.json["error"]["message"]
    assert f"{broken}: model.onnx: 11 bytes" in line["message"]
    assert str(broken) not in answer.body.decode()


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"HOST": "", "K_SERVICE": ""}, "127.0.0.1"),
        ({"HOST": "", "K_SERVICE": "polyhead"}, "0.0.0.0"),
        ({"HOST": "0.0.0.0", "K_SERVICE": ""}, "0.0.0.0"),
    ],
)
def test_it_listens_on_this_machine_alone_unless_told_otherwise(
    bundle_path: Path, tmp_path: Path, settings: dict[str, str], address: str
) -> None:
    with started(bundle_path, tmp_path, **settings) as server:
        connections = psutil.Process(server.pid).net_connections("tcp")
    listening = [entry.laddr.ip for entry in connections if entry.status == psutil.CONN_LISTEN]
    assert listening == [address]


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_wrong_port_is_named(port: str, bundle_path: Path) -> None:
    for command in ("function.start", "function.preflight"):
        done = run(command, PORT=port, BUNDLE=str(bundle_path))
        assert done.returncode == 1
        assert f"PORT='{port}': expected a whole number from 1 to 65535" in done.stderr


def test_the_start_takes_no_arguments_and_lists_its_settings() -> None:
    helped, wrong = run("function.start", "--help"), run("function.start", "--port=8080")
    assert (helped.returncode, wrong.returncode) == (0, 2)
    assert "| HOST |" in helped.stdout


def test_preflight_shows_what_to_send(bundle_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        occupied = run("function.preflight", port, BUNDLE=str(bundle_path), HOST="127.0.0.1")
    assert occupied.returncode == 1
    assert f"port {port} of 127.0.0.1: Address already in use; give another" in occupied.stderr
    free = run("function.preflight", port, BUNDLE=str(bundle_path), HOST="127.0.0.1")
    assert free.returncode == 0, free.stderr
    assert f"curl -s localhost:{port} -H 'content-type: application/json' -d" in free.stdout
    nowhere = run("function.preflight", port, BUNDLE="/nowhere")
    assert nowhere.returncode == 1
    assert "error: /nowhere: no such directory" in nowhere.stderr
