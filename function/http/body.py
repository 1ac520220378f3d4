"""The bytes of a request: read up to a limit, inflated, decoded, parsed as JSON."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from function.http.compression import InflateError, TooLargeError, inflate
from function.http.errors import RequestError

if TYPE_CHECKING:
    from flask import Request

BLOCK_BYTES = 64 * 1024
DISCARD_BYTES = 32 * 2**20
"""Read and thrown away after an early answer; Cloud Run lets no larger body through."""


def read_body(request: Request, max_bytes: int) -> bytes:
    """The body, inflated; raises RequestError when it is larger than `max_bytes` in any form."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        message = "Send the body as UTF-8 JSON, plain or with Content-Encoding: gzip."
        raise RequestError(415, "unsupported_encoding", message)
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    if encoding != "identity":
        return _inflated(request.stream, max_bytes)
    body = bytearray()
    while block := _read(request.stream, min(BLOCK_BYTES, max_bytes + 1 - len(body))):
        body += block
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def discard_rest(request: Request) -> bool:
    """Throw away what was not read of the body; False when there is more than is worth reading.

    A client that is still sending when the connection closes never sees the answer.
    """
    left = DISCARD_BYTES
    try:
        while block := _read(request.stream, BLOCK_BYTES):
            left -= len(block)
            if left <= 0:
                return False
    except RequestError:
        return False
    return True


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`; raises RequestError."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The body is not UTF-8 (byte {error.start}); send JSON encoded as UTF-8."
        raise RequestError(400, "invalid_encoding", message) from None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _invalid(f"The body is not JSON ({error.msg}, {where})") from None
    except RecursionError:
        raise _invalid("The body is nested too deeply") from None
    except ValueError:  # int() refuses thousands of digits
        raise _invalid("The body holds a number with too many digits") from None


def _read(stream: IO[bytes], size: int) -> bytes:
    # gunicorn reports a body that breaks off or breaks the chunk format as an OSError, werkzeug
    # as a BadRequest of its own that cannot be imported without paying for werkzeug here.
    try:
        return stream.read(size)
    except Exception:
        message = "The body broke off or is malformed; send it whole."
        raise RequestError(400, "invalid_body", message) from None


def _inflated(stream: IO[bytes], max_bytes: int) -> bytes:
    try:
        return inflate(lambda size: _read(stream, size), BLOCK_BYTES, max_bytes)
    except TooLargeError:
        raise _too_large(max_bytes) from None
    except InflateError as error:
        message = f"The body is not gzip ({error}); compress it whole, or send it plain."
        raise RequestError(400, "invalid_encoding", message) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; which of two equal keys counts would be a guess."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _invalid("An object in the body has the same key twice")
    return value


def _refuse_constant(name: str) -> None:
    raise _invalid(f"{name} is not JSON")


def _invalid(problem: str) -> RequestError:
    example = '{"inputs": "raw honey"}'
    return RequestError(400, "invalid_json", f"{problem}; send an object such as {example}.")


def _too_large(max_bytes: int) -> RequestError:
    message = f"The body is larger than {max_bytes} bytes; send fewer texts at once."
    return RequestError(413, "body_too_large", message)
