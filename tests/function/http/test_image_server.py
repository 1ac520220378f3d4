"""What the image's server bears: stalled clients, idle connections, and its end."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from function.http.endpoint import Endpoint
from function.http.image_server import IDLE_S, REQUEST_S, STOP_S, ImageServer
from function.process import listen
from function.settings import Settings
from tests.serving import serving

pytestmark = pytest.mark.slow

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
ASK = HEAD + b'Content-Length: 23\r\n\r\n{"inputs": "raw honey"}'
STALLED = {
    "nothing": b"",
    "half a header": b"POST / HTTP/1.1\r\nHo",
    "half a body": HEAD + b'Content-Length: 23\r\n\r\n{"inputs":',
    "half a chunk": HEAD + b'Transfer-Encoding: chunked\r\n\r\n17\r\n{"inputs":',
}
CLIENTS = 100
BALANCER_S = 620.0
"""Google's load balancers keep a connection that is idle so long."""


@contextmanager
def stalled(port: int, data: bytes, clients: int = CLIENTS) -> Iterator[list[socket.socket]]:
    """Clients that send `data`, and no more."""
    wires = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(clients)]
    try:
        for wire in wires:
            wire.sendall(data)
        yield wires
    finally:
        for wire in wires:
            wire.close()


@contextmanager
def in_process(bundle: Path, max_bytes: int = 2**20) -> Iterator[tuple[ImageServer, int]]:
    """The same server in a thread of this process, whose clock can be put forward."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = Settings(bundle=bundle, max_bytes=max_bytes)
    server = ImageServer(Endpoint(settings), listener, max_bytes)
    serving_thread = threading.Thread(target=server.serve_until_stopped, daemon=True)
    serving_thread.start()
    try:
        yield server, port
    finally:
        server.stop()
        serving_thread.join(STOP_S + 5)
    assert not serving_thread.is_alive(), "it hangs"


def closed(wire: socket.socket, within_s: float = 5.0) -> bool:
    wire.settimeout(within_s)
    try:
        return wire.recv(1) == b""
    except TimeoutError:
        return False


def ask(wire: socket.socket) -> bytes:
    """The head of the answer to a question over this connection."""
    wire.sendall(ASK)
    answer = b""
    while b'"bundle"' not in answer:
        answer += (received := wire.recv(65536))
        assert received, "the connection was closed"
    return answer


def wait_for(happens: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.mark.parametrize("data", STALLED.values(), ids=STALLED)
def test_a_hundred_stalled_clients_keep_nobody_from_an_answer(
    bundle_path: Path, tmp_path: Path, data: bytes
) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server, stalled(server.port, data):
        start_s = time.monotonic()
        assert server.request("GET", "/health", timeout_s=1).status == 200
        assert time.monotonic() - start_s < 1
        assert server.ask({"inputs": "raw honey"}).status == 200


def test_stalled_clients_of_every_kind_keep_nobody_from_an_answer_under_load(
    bundle_path: Path, tmp_path: Path
) -> None:
    questions = [{"inputs": "raw honey"}, {"inputs": ["raw honey", "salt"] * 20}] * 50
    with serving(bundle_path, tmp_path / "log", "image") as server, ExitStack() as clients:
        for data in STALLED.values():
            clients.enter_context(stalled(server.port, data, 50))
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(server.ask, questions)
            assert server.request("GET", "/health").status == 200
            assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("data", STALLED.values(), ids=STALLED)
def test_stalled_clients_are_dropped_after_the_stated_time(bundle_path: Path, data: bytes) -> None:
    with in_process(bundle_path) as (server, port), stalled(port, data, 8) as wires:
        time.sleep(0.2)
        server.maintenance(time.time() + REQUEST_S - 2)
        assert not closed(wires[0], within_s=1.5)
        server.maintenance(time.time() + REQUEST_S)
        assert all(closed(wire) for wire in wires)


def test_a_client_that_sends_byte_by_byte_is_dropped_as_well(bundle_path: Path) -> None:
    with in_process(bundle_path) as (server, port), stalled(port, b"", 1) as (wire,):
        for byte in ASK[:20]:
            wire.sendall(bytes([byte]))
            time.sleep(0.05)
        server.maintenance(time.time() + REQUEST_S - 0.5)
        assert closed(wire)


def test_a_connection_that_was_idle_takes_the_next_request(bundle_path: Path) -> None:
    assert IDLE_S > BALANCER_S
    with in_process(bundle_path) as (server, port), stalled(port, b"", 1) as (wire,):
        assert ask(wire).startswith(b"HTTP/1.1 200 OK")
        time.sleep(0.2)  # the answer is sent before its thread is done with it
        server.maintenance(time.time() + BALANCER_S)
        time.sleep(1.2)
        assert ask(wire).startswith(b"HTTP/1.1 200 OK")
        server.maintenance(time.time() + IDLE_S + 1)
        assert closed(wire)


def large_answers(count: int) -> bytes:
    """Small requests in one piece whose answers are millions of bytes each."""
    context = {"reply": "json", "top_k": "2"}
    calls = {"calls": [["egg"]] * 14_000, "userDefinedContext": context}
    body = gzip.compress(json.dumps(calls).encode())
    head = "POST /bigquery HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
    return (f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body) * count


def test_a_client_that_takes_no_answers_keeps_nobody_from_one_and_is_dropped(
    bundle_path: Path,
) -> None:
    with in_process(bundle_path) as (server, port), stalled(port, large_answers(12), 1):
        wait_for(lambda: any(it.is_held_up for it in server.active_channels.values()))
        with stalled(port, b"", 1) as (other,):
            assert ask(other).startswith(b"HTTP/1.1 200 OK")
        wait_for(lambda: len(server.active_channels) == 1)
        (channel,) = server.active_channels.values()
        assert channel.total_outbufs_len < 5 * 2**20
        server.maintenance(time.time() + REQUEST_S - 10)
        time.sleep(0.1)
        assert server.active_channels
        server.maintenance(time.time() + REQUEST_S)
        wait_for(lambda: not server.active_channels)


def test_a_client_that_takes_large_answers_late_has_them_all(bundle_path: Path) -> None:
    with in_process(bundle_path) as (server, port), stalled(port, large_answers(4), 1) as (wire,):
        wait_for(lambda: any(channel.is_held_up for channel in server.active_channels.values()))
        taken = b""
        while taken.count(b"}]}]}") < 4:  # ends of bodies
            taken += (received := wire.recv(2**20))
            assert received, "the connection was closed"


def test_a_body_of_the_largest_size_is_taken_however_large_that_is(bundle_path: Path) -> None:
    size = 34 * 2**20
    question = b'{"inputs": "raw honey"}'.rjust(size)
    head = HEAD + b"Content-Length: %d\r\n\r\n" % size
    with in_process(bundle_path, size) as (_, port), stalled(port, head + question, 1) as (wire,):
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_requests_that_come_at_once_are_shared_by_threads(
    bundle_path: Path, tmp_path: Path
) -> None:
    question = {"inputs": ["boneless chicken breast with raw honey and butter " * 8] * 24}
    with serving(bundle_path, tmp_path / "log", "image") as server:
        server.ask(question)
        with ThreadPoolExecutor(6) as pool:
            assert {answer.status for answer in pool.map(server.ask, [question] * 12)} == {200}
        assert psutil.Process(server.pid).num_threads() >= 6


def test_the_end_answers_and_logs_what_is_in_flight(bundle_path: Path, tmp_path: Path) -> None:
    texts = ["boneless chicken breast with raw honey and butter " * 8] * 24
    half = STALLED["half a body"]
    with serving(bundle_path, tmp_path / "log", "image") as server:
        server.ask({"inputs": "raw honey"})
        with stalled(server.port, half, 20), stalled(server.port, half, 1) as (late,):
            with ThreadPoolExecutor(8) as pool:
                pending = [pool.submit(server.ask, {"inputs": texts}) for _ in range(8)]
                time.sleep(0.3)
                start_s = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                late.sendall(b' "raw honey"}')
                assert [answer.result().status for answer in pending] == [200] * 8
            answer = late.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert server.process.wait(8) == 0
            assert time.monotonic() - start_s < 8
        lines = server.lines()
    assert len(lines) == 10
    assert {line["profile"]["status"] for line in lines} == {200}


def test_idle_connections_do_not_hold_up_the_end(bundle_path: Path, tmp_path: Path) -> None:
    with (
        serving(bundle_path, tmp_path / "log", "image") as server,
        stalled(server.port, b"", 5) as (wire, *_),
    ):
        ask(wire)
        start_s = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert closed(wire)
        assert server.process.wait(8) == 0
        assert time.monotonic() - start_s < 3


def test_on_one_processor_a_short_request_behind_a_large_one_holds_up_no_health_check(
    bundle_path: Path,
) -> None:
    large = json.dumps({"inputs": ["raw honey"] * 100}).encode()
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        with in_process(bundle_path) as (server, port), stalled(port, b"", 3) as wires:
            ask(wires[2])
            turns = server.endpoint.service.classifier.get()._cpu_turns
            turns.take()  # as a run of the graph that takes long
            wires[0].sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(large) + large)
            wait_for(lambda: len(turns._waiting) == 1)
            wires[1].sendall(ASK)
            wait_for(lambda: len(turns._waiting) == 2)
            try:
                wires[2].sendall(b"GET /health HTTP/1.1\r\n\r\n")
                assert b"alive" in wires[2].recv(65536)
            finally:
                turns.give()
            for wire in wires[:2]:
                assert wire.recv(65536).startswith(b"HTTP/1.1 200 OK")
    finally:
        os.sched_setaffinity(0, processors)


def test_requests_one_after_another_in_one_packet_are_answered_in_order(
    bundle_path: Path, tmp_path: Path
) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        health = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        reply = server.send_raw(ASK + health + ASK)
    bodies = [
        json.loads(part.split(b"\r\n\r\n")[1]) for part in reply.split(b"HTTP/1.1 200 OK")[1:]
    ]
    assert ["predictions" in body for body in bodies] == [True, False, True]


@pytest.mark.parametrize("head", [b"HONEY", b"get / HTTP/1.1", b"GET / HTTP/1.1\r\nno colon"])
def test_what_is_no_http_request_is_told_so(bundle_path: Path, tmp_path: Path, head: bytes) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        reply = server.send_raw(head + b"\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 400 Bad Request") or reply.startswith(b"HTTP/1.0 400")
        assert json.loads(reply.split(b"\r\n\r\n")[1])["error"]["code"] == "malformed_request"
        assert server.request("GET", "/health").status == 200
        messages = [line["message"] for line in server.lines()]
        assert messages == ["other method other path 400", "GET /health 200"]


def test_a_head_request_keeps_no_body_and_an_answer_is_one_packet(
    bundle_path: Path, tmp_path: Path
) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        reply = server.send_raw(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + ASK)
        assert reply.count(b"HTTP/1.1 200 OK") == 2
        assert psutil.Process(server.pid).num_threads() < 16
