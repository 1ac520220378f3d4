"""The deployed process: loads by itself, lean, and patient with what is broken."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from profiling import process_tree
from profiling.server import FROM_IMAGE, ServerError, free_port
from tests.serving import ROOT, StrictServer, serving

MODULE, PREFLIGHT = ("-m", "function.start"), ("-m", "function.preflight")
LOADED_S = 1.0
"""Long enough for the bundle to be loaded, from when the server listens."""


@contextmanager
def started(bundle: Path, tmp_path: Path, **settings: str) -> Iterator[StrictServer]:
    """As the image starts it."""
    with serving(bundle, tmp_path / "log", "image", **settings) as server:
        yield server


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_bundle_is_loaded_before_it_is_asked_for(bundle_path: Path, tmp_path: Path) -> None:
    with started(bundle_path, tmp_path) as server:
        time.sleep(LOADED_S)
        answer = server.ask({"inputs": "raw honey"})
        profile = server.lines()[0]["profile"]
    assert answer.status == 200
    assert answer.json["predictions"][0]["source"][0]["label"] == "animal_product"
    assert profile["cold"] is True
    (load,) = (span for span in profile["spans"] if span["name"] == "load")
    (request,) = (span for span in profile["spans"] if span["name"] == "request")
    assert load["start_ms"] + load["duration_ms"] < request["start_ms"]
    assert "wait" not in [row["name"] for row in profile["spans"] if row["parent"] is not None]


def test_who_asks_while_it_loads_waits_and_health_does_not(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(bundle_path, tmp_path) as server, ThreadPoolExecutor(8) as pool:
        pending = [pool.submit(server.ask, {"inputs": "raw honey"}) for _ in range(7)]
        assert server.request("GET", "/health").json == {"status": "alive"}
        assert {answer.result().status for answer in pending} == {200}
        lines = server.lines()
    assert sum("'load'" in str(line) for line in lines) == 1


def test_what_loads_beside_the_import_of_the_server_has_parents_of_its_own(
    bundle_path: Path, tmp_path: Path
) -> None:
    with started(bundle_path, tmp_path) as server:
        time.sleep(LOADED_S)
        server.ask({"inputs": "raw honey"})
        rows = server.lines()[0]["profile"]["spans"]
    parents = {
        row["name"]: None if row["parent"] is None else rows[row["parent"]]["name"] for row in rows
    }
    outermost = {name for name, parent in parents.items() if parent is None}
    assert outermost >= {
        "framework", "import_handler", "load", "import_server", "boot", "idle", "request",
    }  # fmt: skip
    assert (parents["import_tokenizers"], parents["session"]) == ("load", "load")
    assert (parents["tokenize"], parents["run"]) == ("request", "request")


def test_only_the_first_request_is_cold(bundle_path: Path, tmp_path: Path) -> None:
    with started(bundle_path, tmp_path) as server:
        for _ in range(3):
            server.ask({"inputs": "raw honey"})
        assert [line["profile"]["cold"] for line in server.lines()] == [True, False, False]


def test_it_is_one_process_with_threads_that_share_a_run_if_asked_for(
    bundle_path: Path, tmp_path: Path
) -> None:
    threads = {}
    for ort_threads in ("1", "2"):
        with started(bundle_path, tmp_path, ORT_THREADS=ort_threads) as server:
            assert server.ask({"inputs": "raw honey"}).status == 200
            (process,) = process_tree.tree(server.pid)
            threads[ort_threads] = process.num_threads()
    assert threads["2"] == threads["1"] + 1


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


def test_a_process_that_is_killed_is_gone_and_a_new_one_starts_cold(
    bundle_path: Path, tmp_path: Path
) -> None:
    """It is the only one: Cloud Run starts another instance."""
    with started(bundle_path, tmp_path) as server:
        server.ask({"inputs": "raw honey"})
        os.kill(server.pid, signal.SIGKILL)
        assert server.process.wait(5) == -signal.SIGKILL
        with pytest.raises(ServerError, match="exit status -9"):
            server.ask({"inputs": "raw honey"})
    with started(bundle_path, tmp_path) as server:
        server.ask({"inputs": "raw honey"})
        profile = server.lines()[0]["profile"]
    assert profile["cold"] is True
    assert "restart" not in profile["instance"]


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_wrong_port_is_named(port: str, bundle_path: Path) -> None:
    for command in (FROM_IMAGE, MODULE, PREFLIGHT):
        done = run(*command, PORT=port, BUNDLE=str(bundle_path))
        assert done.returncode == 1
        assert f"PORT='{port}': expected a whole number from 1 to 65535" in done.stderr


def test_a_port_in_use_is_named(bundle_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(*FROM_IMAGE, PORT=port, HOST="127.0.0.1", BUNDLE=str(bundle_path))
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1: Address already in use" in done.stderr


@pytest.mark.parametrize("command", [FROM_IMAGE, MODULE, ("function/start.py",)])
def test_the_start_takes_no_arguments_and_lists_its_settings(command: tuple[str, ...]) -> None:
    helped, wrong = run(*command, "--help"), run(*command, "--port=8080")
    assert (helped.returncode, wrong.returncode) == (0, 2)
    assert "| HOST |" in helped.stdout


def test_preflight_takes_an_address_of_ipv6(bundle_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no such addresses")
    free = run(*PREFLIGHT, str(free_port()), BUNDLE=str(bundle_path), HOST="::1")
    assert free.returncode == 0, free.stderr


def test_preflight_shows_what_to_send(bundle_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        occupied = run(*PREFLIGHT, port, BUNDLE=str(bundle_path), HOST="127.0.0.1")
    assert occupied.returncode == 1
    assert f"port {port} of 127.0.0.1: Address already in use; give another" in occupied.stderr
    free = run(*PREFLIGHT, port, BUNDLE=str(bundle_path), HOST="127.0.0.1")
    assert free.returncode == 0, free.stderr
    assert f"curl -s localhost:{port} -H 'content-type: application/json' -d" in free.stdout
    nowhere = run(*PREFLIGHT, port, BUNDLE="/nowhere")
    assert nowhere.returncode == 1
    assert "error: /nowhere: no such directory" in nowhere.stderr
