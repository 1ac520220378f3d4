"""Trace headers as the platform sends them, and as it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.record.log import trace_fields
from function.record.trace_context import Trace, is_sampled, read_trace

ID = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
OTHER = "105445aa7843bc8bf206b12000100000"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"traceparent": f"00-{ID}-{SPAN}-01"}, Trace(ID, SPAN, True)),
        ({"traceparent": f"00-{ID}-{SPAN}-00"}, Trace(ID, SPAN)),
        ({"traceparent": f"00-{ID}-{SPAN}-02"}, Trace(ID, SPAN)),
        ({"traceparent": f"00-{ID}-{SPAN}-ff"}, Trace(ID, SPAN, True)),
        ({"traceparent": f" 00-{ID}-{SPAN}-01 "}, Trace(ID, SPAN, True)),
        ({"traceparent": f"01-{ID}-{SPAN}-01-more"}, Trace(ID, SPAN, True)),
        ({"traceparent": f"01-{ID}-{SPAN}-01.more"}, None),
        ({"traceparent": f"00-{ID}-{SPAN}-01-more"}, None),
        ({"traceparent": f"00-{ID}-{SPAN}-01-"}, None),
        ({"traceparent": f"00-{ID}-{SPAN}"}, None),
        ({"traceparent": f"ff-{ID}-{SPAN}-01"}, None),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, None),
        ({"traceparent": f"00-{ID}-{'0' * 16}-01"}, None),
        ({"traceparent": f"00-{ID.upper()}-{SPAN}-01"}, None),
        ({"X-Cloud-Trace-Context": f"{OTHER}/1;o=1"}, Trace(OTHER, "0000000000000001", True)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/1;o=0"}, Trace(OTHER, "0000000000000001")),
        ({"X-Cloud-Trace-Context": f"{OTHER};o=3"}, Trace(OTHER, None, True)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/b7ad"}, None),
        ({"X-Cloud-Trace-Context": f"{OTHER}/{2**64 - 1}"}, Trace(OTHER, "f" * 16)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/{2**64}"}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/0"}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": OTHER.upper()}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": "0" * 32}, None),
        ({"X-Cloud-Trace-Context": "nonsense"}, None),
        (
            {"traceparent": f"00-{ID}-{SPAN}-01", "X-Cloud-Trace-Context": f"{OTHER}/1"},
            Trace(ID, SPAN, True),
        ),
        (
            {"traceparent": "broken", "X-Cloud-Trace-Context": f"{OTHER}/255"},
            Trace(OTHER, "00000000000000ff"),
        ),
    ],
)
def test_headers(headers: dict[str, str], expected: Trace | None) -> None:
    assert read_trace(headers) == expected


@given(st.text(), st.text())
def test_a_trace_is_hexadecimal_whatever_was_sent(first: str, second: str) -> None:
    trace = read_trace({"traceparent": first, "X-Cloud-Trace-Context": second})
    assert trace is None or (len(trace.trace_id) == 32 and int(trace.trace_id, 16))


def test_fields_need_trace_and_project() -> None:
    assert trace_fields(Trace(ID, SPAN), "p") == {
        "logging.googleapis.com/trace": f"projects/p/traces/{ID}",
        "logging.googleapis.com/spanId": SPAN,
    }
    assert list(trace_fields(Trace(ID, None), "p")) == ["logging.googleapis.com/trace"]
    assert trace_fields(None, "p") == {}
    assert trace_fields(Trace(ID, SPAN), None) == {}


def test_a_share_of_the_traces_is_recorded_and_always_the_same_ones() -> None:
    traces = [
        Trace(f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}", None)
        for number in range(1, 4001)
    ]
    sampled = [trace for trace in traces if is_sampled(trace, 0.25)]
    assert 900 < len(sampled) < 1100
    assert all(is_sampled(trace, 0.5) for trace in sampled)
    assert not any(is_sampled(trace, 0.0) for trace in traces)
    assert 150 < sum(is_sampled(None, 0.2) for _ in range(1000)) < 250


def test_what_the_caller_records_is_recorded() -> None:
    assert is_sampled(Trace("f" * 32, SPAN, sampled=True), 0.0)
