"""The body of a request: its bytes, inflated and parsed, the same however they arrive."""

from __future__ import annotations

import gzip
import json
import zlib
from io import BytesIO
from typing import Any

from function.http.body import discard_rest, parse_json, read_body
from function.http.errors import RequestError
from tests.reliability.mutation import Target, pieces
from tests.reliability.targets.refusal import refusal

MAX_BYTES = 4000
REQUEST = '{"inputs": ["raw honey", "crème fraîche"], "tasks": ["source"], "top_k": 2}'.encode()
BOMB = gzip.compress(bytes(200_000))
SEEDS = (
    b"\n" + REQUEST,
    b"identity\n" + REQUEST,
    b"gzip\n" + gzip.compress(REQUEST, mtime=0),
    b"x-gzip\n" + gzip.compress(REQUEST[:9], mtime=0) + gzip.compress(REQUEST[9:], 1, mtime=0),
    b"gzip\n" + BOMB,
    b"gzip\n" + gzip.compress(BOMB, mtime=0),
    b"br\n" + REQUEST,
    b"\n\xef\xbb\xbf" + REQUEST,
    b"\n" + REQUEST.decode().encode("utf-16"),
    b'\n{"inputs": "\\ud800\\u0000", "top_k": 1e3, "min_score": {"a": -0.0}}',
)
BOTH_WRONG = {"body_too_large", "invalid_encoding"}
"""Of a body that is too large and broken, the one that is seen first is answered."""
TOKENS = (
    b"gzip", b"identity", b"deflate", b" GZIP ", b"\n", b"{", b"}", b"[", b"]", b":", b",", b'"',
    b"null", b"NaN", b"-Infinity", b"1e999", b"-0", b"0x1", b"9" * 400, b"\\ud800", b"\\u0000",
    b"\xff", b"\xef\xbb\xbf", b"\x1f\x8b\x08\x00", b"\x00\x00\x00", b'"inputs"',
)  # fmt: skip


class Arriving:
    """A request whose body arrives in pieces, however much is asked for."""

    method, path = "POST", "/"

    def __init__(self, coding: str, parts: list[bytes], content_length: int | None) -> None:
        self.headers = {"Content-Encoding": coding} if coding else {}
        self.content_length = content_length
        self.stream = Pieces(parts)


class Pieces(BytesIO):
    def __init__(self, parts: list[bytes]) -> None:
        super().__init__()
        self._parts = list(parts)

    def read(self, size: int | None = -1, /) -> bytes:
        if not self._parts:
            return b""
        part = self._parts.pop(0)
        if size is not None and 0 <= size < len(part):
            self._parts.insert(0, part[size:])
        return part if size is None or size < 0 else part[:size]


def check(data: bytes) -> str:
    """`data`: the Content-Encoding, a line feed, the body."""
    first, _, body = data.partition(b"\n")
    coding = first.decode("latin-1")
    outcome = read(coding, [body], len(body))
    in_pieces = read(coding, pieces(body) if len(body) > 1 else [body], None)
    assert in_pieces == outcome or {in_pieces, outcome} == BOTH_WRONG
    if isinstance(outcome, str):
        return outcome
    assert len(outcome) <= MAX_BYTES
    assert outcome == (body if coding.strip().lower() in ("", "identity") else inflated(body))
    return parse(outcome)


def read(coding: str, parts: list[bytes], content_length: int | None) -> bytes | str:
    """The body, or the code of the refusal."""
    request = Arriving(coding, parts, content_length)
    try:
        body: bytes | str = bytes(read_body(request, MAX_BYTES))
    except RequestError as error:
        body = refusal(error)
    assert discard_rest(request.stream)
    assert not request.stream.read()
    return body


def inflated(body: bytes) -> bytes | None:
    """By the standard library's own reader of files; None where it refuses."""
    try:
        return gzip.decompress(body)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return None


def parse(body: bytes) -> str:
    try:
        value = parse_json(body)
    except RequestError as error:
        return refusal(error)
    text = body.decode("utf-8-sig")
    plain: Any = json.loads(text)
    assert json.dumps(value) == json.dumps(plain)
    return "a JSON value"


TARGET = Target("body", "function/http/body.py", SEEDS, TOKENS, check)
