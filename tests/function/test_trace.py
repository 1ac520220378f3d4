"""Trace headers as the platform sends them, and as it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.log import trace_fields
from function.trace import Trace, read_trace

ID = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
OTHER = "105445aa7843bc8bf206b12000100000"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"traceparent": f"00-{ID}-{SPAN}-01"}, Trace(ID, SPAN)),
        ({"traceparent": f"01-{ID}-{SPAN}-01-more"}, Trace(ID, SPAN)),
        ({"traceparent": f"ff-{ID}-{SPAN}-01"}, None),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, None),
        ({"traceparent": f"00-{ID}-{'0' * 16}-01"}, None),
        ({"traceparent": f"00-{ID.upper()}-{SPAN}-01"}, None),
        ({"X-Cloud-Trace-Context": f"{OTHER}/1;o=1"}, Trace(OTHER, "0000000000000001")),
        ({"X-Cloud-Trace-Context": f"{OTHER}/{2**64 - 1}"}, Trace(OTHER, "f" * 16)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/{2**64}"}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": f"{OTHER}/0"}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": OTHER.upper()}, Trace(OTHER, None)),
        ({"X-Cloud-Trace-Context": "0" * 32}, None),
        ({"X-Cloud-Trace-Context": "nonsense"}, None),
        (
            {"traceparent": f"00-{ID}-{SPAN}-01", "X-Cloud-Trace-Context": f"{OTHER}/1"},
            Trace(ID, SPAN),
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
