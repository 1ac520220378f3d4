"""The load generator against real servers: one that stalls, the real function, and none at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import gevent
import numpy as np
import pytest

from profiling.report.load.connection import ARRIVAL, Connection
from profiling.report.load.plan import Plan, arrivals_s, run_load, server_timing
from tests.serving import Server, serving

STALL_S = 0.8
REQUEST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n[]"


class Stalling(BaseHTTPRequestHandler):
    """Answers at once, but once holds every request for most of a second."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    gate = threading.Lock()
    answered = 0
    connections = 0

    def setup(self) -> None:
        super().setup()
        Stalling.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with Stalling.gate:
            Stalling.answered += 1
            if Stalling.answered == 60:
                time.sleep(STALL_S)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stalling() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stalling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(bundle_path, tmp_path_factory.mktemp("load") / "log") as running:
        yield running


def test_a_stall_cannot_hide_from_the_open_model(stalling: str) -> None:
    plan = Plan(stalling, [["a"]], rate=40, users=2, duration_s=4, warmup_s=0)
    outcome = run_load(plan)
    assert outcome.errors == 0
    late = np.mean(outcome.latency_ms > 1000 * STALL_S / 4)
    hidden = np.mean(outcome.service_ms > 1000 * STALL_S / 4)
    # Two connections: at most two requests are held, and all that were due meanwhile wait.
    assert late > 0.1
    assert hidden < late / 2


def test_arrivals_are_poisson_and_the_same_again() -> None:
    plan = Plan("", [], rate=200, duration_s=50, warmup_s=0)
    due = np.array(arrivals_s(plan))
    assert arrivals_s(plan) == due.tolist()
    gaps = np.diff(due)
    assert np.mean(gaps) == pytest.approx(1 / 200, rel=0.05)
    assert np.std(gaps) / np.mean(gaps) == pytest.approx(1, abs=0.05)
    counts, _ = np.histogram(due, bins=50)
    assert np.var(counts) / np.mean(counts) == pytest.approx(1, abs=0.5)


def test_locust_keeps_to_the_schedule(server: Server) -> None:
    plan = Plan(f"http://127.0.0.1:{server.port}", [["raw honey"], ["tofu"]], rate=20, users=8,
                duration_s=3, warmup_s=0)  # fmt: skip
    outcome = run_load(plan)
    assert outcome.errors == 0
    assert sorted(outcome.due) == pytest.approx([1000 * due for due in arrivals_s(plan)], abs=0.01)
    assert set(outcome.question) == {0, 1}
    assert len(outcome.spans_ms("request")) == len(outcome.done)
    assert np.all(outcome.spans_ms("request") < outcome.service_ms)


def test_errors_are_counted_by_their_code(server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}"
    outcome = run_load(Plan(address, [["tofu"]], requests=5, tasks=["sauce"], warmup_s=0))
    assert outcome.faults == {"400 unknown_task": 5}
    assert outcome.errors == 5
    assert "ask for some of" in outcome.messages["400 unknown_task"]
    outcome = run_load(Plan("http://127.0.0.1:9", [["tofu"]], requests=3, warmup_s=0))
    assert outcome.faults == {"ConnectionRefusedError": 3}
    assert outcome.throughput == 0


def test_a_connection_is_kept(stalling: str) -> None:
    connection, before = Connection(stalling, timeout_s=30), Stalling.connections
    for _ in range(3):
        assert connection.ask(REQUEST).status == 200
    connection.close()
    assert Stalling.connections == before + 1


@pytest.mark.skipif(ARRIVAL is None, reason="only Linux notes when the bytes came")
def test_an_answer_counts_from_when_it_came_not_from_when_it_was_read(stalling: str) -> None:
    connection = Connection(stalling, timeout_s=30)
    connection.ask(REQUEST)  # opens it
    began_s = time.perf_counter()
    asking = gevent.spawn(connection.ask, REQUEST)
    gevent.sleep(0)  # it is sent
    time.sleep(STALL_S)  # nothing of gevent runs meanwhile
    response = asking.get()
    connection.close()
    assert time.perf_counter() - began_s > STALL_S
    assert 0 < response.first_byte_s - began_s < STALL_S / 2


def test_gzip_answers_are_the_same(server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}"
    runs = [
        run_load(Plan(address, [["tofu", "raw honey"] * 20], requests=2, warmup_s=0, gzip=gzip,
                      keep_answers=True))
        for gzip in (False, True)
    ]  # fmt: skip
    assert runs[0].answers == runs[1].answers
    assert len(runs[0].answers[0]["predictions"]) == 40
    assert runs[1].response_bytes[0] < runs[0].response_bytes[0] / 3


def test_server_timing_is_read_as_it_is_written() -> None:
    assert server_timing("parse;dur=0.5, run;dur=1.25, run;dur=2, open") == {
        "parse": 0.5, "run": 3.25,
    }  # fmt: skip
    assert server_timing("") == {}
