"""gzip in both directions, against the standard library's own gzip and over the wire."""

import gzip
import json
import random
import tracemalloc

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from function.http.body import read_body
from function.http.compression import (
    BLOCK_BYTES,
    MIN_BYTES,
    InflateError,
    accepts_gzip,
    deflate,
    inflate,
)
from function.http.errors import RequestError
from tests.serving import Server

TEXTS = ["boneless chicken breast", "raw honey", "butter knife"] * 16
GZIP = {"Content-Encoding": "gzip"}


def inflated(data: bytes, block: int = 7) -> bytes:
    return b"".join(inflate(data[start : start + block] for start in range(0, len(data), block)))


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_what_gzip_packs_comes_back_whole(data: bytes, block: int) -> None:
    assert inflated(gzip.compress(data), block=block) == data
    assert inflated(gzip.compress(data) + gzip.compress(b"more"), block=block) == data + b"more"
    assert gzip.decompress(deflate(data)) == data


def packed_request(data: bytes) -> Request:
    return Request(EnvironBuilder(data=data, headers=[*GZIP.items()]).get_environ())


def test_the_limit_is_exact_and_a_bomb_costs_no_memory() -> None:
    assert len(read_body(packed_request(gzip.compress(b"a" * 500)), 500)) == 500
    for packed in (gzip.compress(b"a" * 501), gzip.compress(b"a" * 300) * 2):
        with pytest.raises(RequestError, match="larger than 500 bytes"):
            read_body(packed_request(packed), 500)
    bomb = packed_request(gzip.compress(b"a" * 200_000_000))
    tracemalloc.start()
    with pytest.raises(RequestError, match="larger than 1000000 bytes"):
        read_body(bomb, 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()
    assert bomb.stream.tell() <= BLOCK_BYTES, "no more is read once the limit is passed"


@pytest.mark.parametrize("cut", [1, 9, 12, -1])
def test_a_broken_stream_is_told(cut: int) -> None:
    with pytest.raises(InflateError, match="breaks off"):
        inflated(gzip.compress(random.Random(1).randbytes(500))[:cut])


def test_what_is_no_gzip_is_told() -> None:
    with pytest.raises(InflateError, match="header"):
        inflated(b'{"inputs": "raw honey"}')


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        ("", False), ("gzip", True), ("GZIP", True), ("gzip;q=0", False), ("gzip; q=0.000", False),
        ("gzip;q=0.5", True), ("br, gzip", True), ("deflate, br", False), ("*", True),
        ("*;q=0", False), ("identity, *;q=0", False), ("gzip;q=0, *", False), ("gzip;q=x", False),
    ],
)  # fmt: skip
def test_accept_encoding_is_read_as_the_rfc_says(header: str, accepts: bool) -> None:
    assert accepts_gzip(header) is accepts


def test_a_compressed_request_gets_the_plain_ones_answer(server: Server) -> None:
    question = json.dumps({"inputs": TEXTS}).encode()
    plain = server.request("POST", "/", question)
    packed = server.request("POST", "/", gzip.compress(question), GZIP)
    assert packed.status == 200
    assert packed.body == plain.body
    assert plain.headers["Content-Encoding"] is None


def test_a_long_answer_is_compressed_for_whom_it_suits(server: Server) -> None:
    plain = server.ask({"inputs": TEXTS})
    packed = server.ask({"inputs": TEXTS}, **{"Accept-Encoding": "gzip"})
    short = server.ask({"inputs": "raw honey"}, **{"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == (
        "gzip",
        "Accept-Encoding",
    )
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert short.headers["Content-Encoding"] is None
    assert len(short.body) <= MIN_BYTES


def test_a_bomb_is_refused_with_a_message(server: Server) -> None:
    bomb = gzip.compress(b"a" * 30_000_000)
    answer = server.request("POST", "/", bomb, GZIP)
    assert answer.status == 413
    assert answer.json["error"]["code"] == "body_too_large"
    answer = server.request("POST", "/", gzip.compress(b'{"inputs": "raw honey"}')[:20], GZIP)
    assert answer.status == 400
    assert answer.json["error"]["code"] == "invalid_encoding"
    assert "breaks off" in answer.json["error"]["message"]
