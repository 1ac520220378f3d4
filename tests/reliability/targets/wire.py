"""Bytes on a connection to the image's server: the same requests in whatever pieces they come."""

from __future__ import annotations

from waitress.adjustments import Adjustments

from function.http.channel import Parser
from function.http.wire import REASONS, WireRequest
from tests.reliability.mutation import Target, pieces

TOO_LONG = "too long"
MAX_BYTES, MAX_HEADER, MAX_DISCARDED = 200, 2000, 3000
ASK = b'{"inputs": "raw honey"}'
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SEEDS = (
    HEAD + b"Content-Length: 23\r\n\r\n" + ASK,
    GET + HEAD + b"Content-Length: 23\r\n\r\n" + ASK + GET,
    CHUNKED + b"17\r\n" + ASK + b"\r\n0\r\n\r\n" + GET,
    CHUNKED + b"5;a=b\r\n" + ASK[:5] + b"\r\n12\r\n" + ASK[5:] + b"\r\n0\r\nX-Sum: 1\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 23\r\n\r\nz\r\n",
    HEAD + b"Content-Length: 500\r\nExpect: 100-continue\r\n\r\n" + b"[" * 500,
    b"GET http://a.b:80/ready?x=1#y HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + GET,
    b"\r\n\r\n\r\nHEAD /%2F%ff HTTP/1.1\r\nX: a\r\n b\r\nX: c\r\n\r\n",
    b"OPTIONS //x HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c\r\n\r\n",
)
TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b";", b",", b"\x00", b"\xff", b"\x85",
    b"0", b"-1", b"+1", b"1_0", b"0x17", b"ffffffffffffffff", b"9" * 400, b"chunked", b"identity",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 23\r\n", b"Content-Length: 0\r\n",
    b"Content-Length: a\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.1", b"HTTP/0.9", b"HTTP/2.0",
    b"http://", b"http://[", b"//", b"[", b"]", b"%", b"%00", b"@", b"#", b"?", b"GET", b"pOST",
)  # fmt: skip
ADJUSTMENTS = Adjustments(
    listen="",
    max_request_header_size=MAX_HEADER,
    max_request_body_size=MAX_DISCARDED,
    clear_untrusted_proxy_headers=False,
)
Read = list[tuple[object, ...]]


def check(data: bytes) -> str:
    """`data`: what a client sends over one connection."""
    if len(data) < 2:
        return "nothing"
    (whole, end), (cut, cut_end) = requests([data]), requests(pieces(data))
    if TOO_LONG in (end, cut_end):  # what arrives at once is not joined to anything
        both = min(len(whole), len(cut))
        assert cut[:both] == whole[:both]
    else:
        assert (cut, cut_end) == (whole, end)
    return end or ("requests" if whole else "nothing")


def requests(parts: list[bytes]) -> tuple[Read, str | None]:
    """What is read until the first malformed request, with which the connection ends, if any."""
    seen: Read = []
    parser: Parser | None = None
    for part in parts:
        while part:
            parser = parser or Parser(ADJUSTMENTS, MAX_BYTES, lambda: True)
            taken = parser.received(part)
            assert 0 <= taken <= len(part)
            part = part[taken:]
            if not parser.completed:
                assert taken, "it takes nothing and is not done"
                assert framing_bytes(parser) <= MAX_HEADER
                continue
            if parser.error:
                return seen, malformed(parser)
            if not parser.empty:
                seen.append(whole_request(parser))
            parser = None
    return seen, None


def framing_bytes(parser: Parser) -> int:
    """What is held of the head, or of lines between chunks: each piece is joined to it anew."""
    if parser.chunked:
        return len(parser.body_rcv.control_line) + len(parser.body_rcv.trailer)
    return len(parser.header_plus)


def malformed(parser: Parser) -> str:
    """As MalformedTask answers it; a request whose head is whole goes to the endpoint.

    Of one that is both too large and wrong, what is seen first is answered: no code is compared.
    """
    assert parser.error.code in REASONS
    if parser.body_rcv is not None:
        assert WireRequest(parser).content_length >= 0
    return TOO_LONG if framing_bytes(parser) > MAX_HEADER else "malformed"


def whole_request(parser: Parser) -> tuple[object, ...]:
    request = WireRequest(parser)
    body = request.stream.read()
    assert len(body) <= MAX_BYTES + 1
    assert len(body) == min(request.content_length, MAX_BYTES + 1)
    return request.method, request.path, sorted(parser.headers.items()), body


TARGET = Target("wire", "function/http/channel.py", SEEDS, TOKENS, check)
