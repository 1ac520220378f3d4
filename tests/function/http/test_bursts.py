"""Allowed requests, many and large at once: memory stays bounded, and each gets an answer."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from function.http.image_server import CHECK_S
from model.classifier import Classifier
from profiling.bench.limits import CpuMemoryLimits, limited
from profiling.server import ServerError
from tests.serving import WAYS, Answer, StrictServer, serving

pytestmark = pytest.mark.slow
in_the_campaign = pytest.mark.reliability
CALLERS, TEXTS, CHARS = 8, 256, 4000
LONG = ("boneless chicken breast with raw honey and butter, " * 100)[:CHARS]
HOSTILE = {
    "empty lists": b"[" + b"[]," * 340_000 + b"[]]",
    "objects": b'{"inputs": [' + b'{"a":1},' * 125_000 + b"{}]}",
    "wide characters": json.dumps({"inputs": ["\U0001f95a" * 1000] * 80}).encode(),
    "no blanks": json.dumps({"inputs": ["\u6f22" * 4000] * 80}, ensure_ascii=False).encode(),
}


def peak_mb(server: StrictServer) -> float:
    """The most that its processes held, what they share counted for each."""
    peaks = []
    for pid in server.pids():
        status = Path(f"/proc/{pid}/status").read_text()
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1024)
    return sum(peaks)


def burst(server: StrictServer, bodies: list[bytes]) -> list[Answer]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(lambda body: server.request("POST", "/", body), bodies))


@in_the_campaign
def test_eight_callers_with_all_that_is_allowed_are_answered(
    way: str, bundle_path: Path, tmp_path: Path, classifier: Classifier
) -> None:
    body = json.dumps({"inputs": [LONG] * TEXTS}).encode()
    expected = classifier.predict([LONG])[0]
    with serving(bundle_path, tmp_path / "log", way, THREADS="8") as server:
        answers = burst(server, [body] * 16)
        peak = peak_mb(server)
    assert [answer.status for answer in answers] == [200] * 16
    predictions = answers[-1].json["predictions"]
    assert {name: rows[0]["label"] for name, rows in predictions[-1].items() if rows} == {
        name: rows[0]["label"] for name, rows in expected.items() if rows
    }
    assert answers[-1].json["truncated"] == list(range(TEXTS))
    assert peak < {"image": 128, "source": 256}[way]  # the latter is two processes


@in_the_campaign
def test_in_little_memory_it_survives(way: str, bundle_path: Path, tmp_path: Path) -> None:
    """Half of the smallest instance; two processes from source need a little more."""
    body = json.dumps({"inputs": [LONG] * TEXTS}).encode()
    with limited(CpuMemoryLimits(memory_mb={"image": 128, "source": 192}[way])) as group:
        if not group.folders:
            pytest.skip(group.note)
        command = group.wrap([sys.executable, *WAYS[way]])
        log = tmp_path / "log"
        with serving(bundle_path, log, python=command[0], command=tuple(command[1:])) as server:
            answers = burst(server, [body] * 16)
            assert server.request("GET", "/health").status == 200
        assert {answer.status for answer in answers} <= {200, 429}
        assert not group.killed


def test_long_texts_are_tokenized_only_as_far_as_they_are_read(
    bundle_path: Path, tmp_path: Path
) -> None:
    """Eight callers, fewer texts: whole, their tokens alone would take 60 MB."""
    body = json.dumps({"inputs": [("a " * 5000)] * 60, "tasks": ["source"]}).encode()
    with serving(bundle_path, tmp_path / "log", "image") as server:
        assert {answer.status for answer in burst(server, [body] * 8)} == {200}
        assert peak_mb(server) < 110


@in_the_campaign
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_bodies_that_grow_when_they_are_parsed_take_turns(
    bundle_path: Path, tmp_path: Path, body: bytes
) -> None:
    assert len(body) < 2**20
    with serving(bundle_path, tmp_path / "log", "image") as server:
        answers = burst(server, [body] * 16)
        assert peak_mb(server) < 200
    assert {answer.status for answer in answers} <= {200, 400}


@in_the_campaign
def test_eight_of_bigquerys_largest_calls_at_once_stay_within_memory(
    bundle_path: Path, tmp_path: Path
) -> None:
    """Replies of 5 MB each: those that cannot be held beside others are asked for again."""
    rows = [[f"raw honey {number % 1500}"] for number in range(12_000)]
    context = {"reply": "json", "top_k": "100"}
    body = json.dumps({"userDefinedContext": context, "calls": rows}).encode()
    with serving(bundle_path, tmp_path / "log", "image") as server, ThreadPoolExecutor(8) as pool:
        ask = lambda _: server.request("POST", "/bigquery", body)  # noqa: E731
        answers = list(pool.map(ask, range(8)))
        assert peak_mb(server) < 200
    assert {answer.status for answer in answers} <= {200, 429}
    assert {len(answer.json["replies"]) for answer in answers if answer.status == 200} == {12_000}


@contextmanager
def half_bodies(server: StrictServer, clients: int, size: int) -> Iterator[None]:
    """Clients that send all of a body but its last byte."""
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()
    with ExitStack() as wires:
        for _ in range(clients):
            wire = wires.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            wire.sendall(head + b" " * (size - 1))
        yield


def test_who_cannot_be_held_beside_others_is_told_to_come_again(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    settings = {"MAX_BYTES": "200000", "THREADS": "40"}
    question = json.dumps({"inputs": "raw honey", "tasks": ["source"]}).encode()
    with serving(bundle_path, tmp_path / "log", way, **settings) as server:
        with half_bodies(server, 24, 200_000):
            time.sleep(0.5)  # until all have arrived
            answer = until_status(server, question + b" " * 150_000, 429)
            assert answer.json["error"]["code"] == "too_busy"
            assert answer.headers["Retry-After"] == "1"
            assert server.request("GET", "/health").status == 200
        assert until_status(server, question, 200).json["predictions"]


def until_status(server: StrictServer, body: bytes, status: int) -> Answer:
    """What is sent takes a moment to arrive, and what is gone to be noticed."""
    for _ in range(100):
        answer = server.request("POST", "/", body)
        if answer.status == status:
            return answer
    raise ServerError(f"still {answer.status}: {answer.body!r}")


def test_a_server_that_has_answered_holds_no_more_threads_or_files(
    bundle_path: Path, tmp_path: Path
) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        burst(server, [b'{"inputs": "raw honey"}'] * 50)
        process = psutil.Process(server.pid)
        until_status(server, b'{"inputs": "raw honey"}', 200)
        before = process.num_fds()
        with half_bodies(server, 50, 1000):
            burst(server, [b'{"inputs": "raw honey"}'] * 50)
        for _ in range(50):  # it takes a moment to see that clients are gone
            if process.num_fds() <= before:
                break
            until_status(server, b'{"inputs": "raw honey"}', 200)
        assert process.num_fds() <= before
        assert process.num_threads() <= 10


@in_the_campaign
def test_a_pause_gives_back_what_a_burst_took(bundle_path: Path, tmp_path: Path) -> None:
    with serving(bundle_path, tmp_path / "log", "image") as server:
        burst(server, [HOSTILE["wide characters"]])  # with numpy, which stays
        time.sleep(CHECK_S + 2)
        before = server.memory_mb()
        burst(server, [HOSTILE["wide characters"]] * 16)
        time.sleep(CHECK_S + 2)
        assert server.memory_mb() < before + 3
