"""Trace headers: read as an independent reader of the two formats does, whatever they hold."""

from __future__ import annotations

from function.record.trace_context import Trace, is_sampled, read_trace
from tests.reliability.mutation import Target

ID, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
SEEDS = (
    b"00-" + ID + b"-" + SPAN + b"-01\n",
    b"01-" + ID + b"-" + SPAN + b"-03-more\n",
    b"\n" + ID + b"/123456789;o=1",
    b"\n" + ID.upper() + b"/18446744073709551615;o=0;x=1",
    b"\n" + ID,
    b" 00-" + ID + b"-" + SPAN + b"-00 \n" + ID + b"/1",
    b"00-" + b"0" * 32 + b"-" + SPAN + b"-01\n" + b"f" * 32 + b"/0;o=3",
)
TOKENS = (
    b"00", b"ff", b"01", b"-", b"/", b";o=", b";", b"0" * 32, b"f" * 32, b"0" * 16, ID, SPAN,
    b"18446744073709551616", b"99999999999999999999", b"4294967296", b"\n", b" ", b"\t", b"\xa0",
    b"\xb2", b"+1", b"_", b"0x",
)  # fmt: skip
DIGITS, LOWER = set("0123456789"), set("0123456789abcdef")
HEXADECIMAL = LOWER | set("ABCDEF")


def check(data: bytes) -> str:
    """`data`: a traceparent, a line feed, an X-Cloud-Trace-Context; as a server decodes them."""
    first, _, second = data.decode("latin-1").partition("\n")
    second = second.replace("\n", "")
    trace = read_trace({"traceparent": first, "X-Cloud-Trace-Context": second})
    assert trace == (traceparent(first.strip()) or cloud_trace(second.strip()))
    if trace is None:
        return "no trace"
    assert is_sampled(trace, 0) == trace.sampled
    assert is_sampled(trace, 1)
    return "a trace"


def of(value: str, characters: set[str], length: int) -> bool:
    return len(value) == length and set(value) <= characters


def traceparent(value: str) -> Trace | None:
    """https://www.w3.org/TR/trace-context/#traceparent-header"""
    version, trace_id, span_id, flags, *rest = [*value.split("-", 4), "", "", "", ""][:5]
    fields = ((version, 2), (trace_id, 32), (span_id, 16), (flags, 2))
    whole = all(of(part, LOWER, length) for part, length in fields)
    later = value.count("-") > 3
    if not whole or version == "ff" or (version == "00" and later) or "\n" in "".join(rest):
        return None
    if set(trace_id) == {"0"} or set(span_id) == {"0"}:
        return None
    return Trace(trace_id, span_id, int(flags, 16) % 2 == 1)


def cloud_trace(value: str) -> Trace | None:
    """https://cloud.google.com/trace/docs/trace-context: TRACE_ID/SPAN_ID;o=OPTIONS"""
    ids, _, rest = value.partition(";")
    trace_id, slash, span = ids.partition("/")
    if not of(trace_id, HEXADECIMAL, 32) or set(trace_id) == {"0"}:
        return None
    if slash and not (0 < len(span) <= 20 and set(span) <= DIGITS):
        return None
    option = rest.partition(";")[0].removeprefix("o=") if rest.startswith("o=") else ""
    sampled = 0 < len(option) <= 10 and set(option) <= DIGITS and int(option) % 2 == 1
    number = int(span or 0)
    span_id = format(number, "016x") if 0 < number < 2**64 else None
    return Trace(trace_id.lower(), span_id, sampled)


TARGET = Target("trace", "function/record/trace_context.py", SEEDS, TOKENS, check)
