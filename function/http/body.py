"""The bytes of a request: read up to a limit, inflated, decoded, parsed as JSON."""

from __future__ import annotations

import json

from function.http.compression import BLOCK_BYTES, InflateError, inflate
from function.http.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from function.http.request import Request, Stream

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DISCARD_BYTES = 32 * 2**20
"""Read and thrown away after an early answer; Cloud Run lets no larger body through."""
HELD_BODIES = 16
"""So many bodies of the largest size may be held at once; a request past that is refused."""
RETRY_S = 1


def read_body(request: Request, max_bytes: int) -> bytearray:
    """The body, inflated; raises RequestError when it is larger than `max_bytes` in any form."""
    too_large = f"The body is larger than {max_bytes} bytes; send fewer texts at once."
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        message = "Send the body as UTF-8 JSON, plain or with Content-Encoding: gzip."
        raise RequestError(415, "unsupported_encoding", message)
    if (request.content_length or 0) > max_bytes:
        raise RequestError(413, "body_too_large", too_large)
    blocks = _blocks(request.stream)
    body = bytearray()
    try:
        for block in blocks if encoding == "identity" else inflate(blocks):
            body += block
            if len(body) > max_bytes:
                raise RequestError(413, "body_too_large", too_large)
    except InflateError as error:
        message = f"The body is not gzip ({error}); compress it whole, or send it plain."
        raise RequestError(400, "invalid_encoding", message) from None
    return body


def too_busy() -> RequestError:
    """The answer to a request whose body cannot be held beside those that are."""
    message = "As many requests are held as memory allows; send this one again in a second."
    return RequestError(429, "too_busy", message, headers={"Retry-After": str(RETRY_S)})


def discard_rest(stream: Stream) -> bool:
    """Throw away what was not read of the body; False when there is more than is worth reading.

    A client that is still sending when the connection closes never sees the answer.
    """
    discarded = 0
    try:
        for block in _blocks(stream):
            discarded += len(block)
            if discarded >= DISCARD_BYTES:
                return False
    except RequestError:
        return False
    return True


def parse_json(body: bytes | bytearray) -> Any:
    """The JSON value in `body`; raises RequestError."""
    try:
        text = body.removeprefix(BYTE_ORDER_MARK).decode()
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


def _blocks(stream: Stream) -> Iterator[bytes]:
    # gunicorn reports a body that breaks off or breaks the chunk format as an OSError, werkzeug
    # as a BadRequest of its own that cannot be imported without paying for werkzeug here.
    try:
        while block := stream.read(BLOCK_BYTES):
            yield block
    except RequestError:  # the stream says by itself what is wrong
        raise
    except Exception:
        message = "The body broke off or is malformed; send it whole."
        raise RequestError(400, "invalid_body", message) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; which of two equal keys counts would be a guess."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _invalid("An object in the body has the same key twice")
    return value


def _refuse_constant(name: str) -> None:
    raise _invalid(f"{name} is not JSON")


def _invalid(problem: str) -> RequestError:
    return RequestError(400, "invalid_json", f"{problem}; send one JSON object.")
