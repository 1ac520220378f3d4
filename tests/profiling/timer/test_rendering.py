"""What a header and a line show of many spans."""

from __future__ import annotations

from profiling.timer import Session, server_timing, span_rows, timer


def test_the_first_two_hundred_spans_are_shown(session: Session) -> None:
    for _ in range(300):
        with timer.span("outer"), timer.span("inner"):
            pass
    rows = span_rows(session.spans)
    assert len(rows) == len(server_timing(session.spans).split(", ")) == 200
    assert [row["parent"] for row in rows] == [None if at % 2 == 0 else at - 1 for at in range(200)]
