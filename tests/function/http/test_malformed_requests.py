"""What the image's server makes of heads and chunks that are no HTTP, or hardly."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from function.http.image_server import HEADER_BYTES
from tests.serving import StrictServer, serving

pytestmark = pytest.mark.slow

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "a URI that Python cannot split": b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length of 5,000 digits": HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a broken chunk beside a length that is none": (
        HEAD + b"Content-Length: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n"
    ),
}
ENDLESS = {
    "a chunk's size": CHUNKED + b"1" * (HEADER_BYTES + 1),
    "a chunk's extension": CHUNKED + b"1;a=" + b"b" * HEADER_BYTES,
    "a trailer": CHUNKED + b"0\r\n" + b"X: aa\r\n" * (HEADER_BYTES // 7 + 1),
}


@pytest.fixture(scope="module")
def server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictServer]:
    with serving(bundle_path, tmp_path_factory.mktemp("server") / "log", "image") as server:
        yield server


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_it_is_told_so_and_the_log_stays_a_log(server: StrictServer, data: bytes) -> None:
    reply = server.send_raw(data)
    assert reply.startswith((b"HTTP/1.1 400 Bad Request", b"HTTP/1.0 400 Bad Request"))
    head, body = reply.split(b"\r\n\r\n")
    assert head.count(b"Connection: close") == 1
    error = json.loads(body)["error"]
    assert error["code"] in ("malformed_request", "invalid_body")
    assert server.request("GET", "/health").status == 200
    server.lines()


def test_who_expects_to_be_told_to_go_on_without_a_body_is_answered(server: StrictServer) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
    reply = server.send_raw(head * 2)
    assert reply.count(b"HTTP/1.1 200 OK") == 2
    assert b"100 Continue" not in reply


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_between_chunks_is_refused_while_it_comes(
    server: StrictServer, data: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(data)
        assert wire.recv(100).startswith(b"HTTP/1.1 400 Bad Request")
