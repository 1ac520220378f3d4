"""Log lines: one write each, and stack traces without what exceptions say."""

from __future__ import annotations

import json
import mmap

import pytest

from function.record.line_output import log_lines
from function.record.log import rss_mb, stack_trace


def failure() -> BaseException:
    try:
        try:
            raise KeyError("the user's text")
        except KeyError as error:
            raise ValueError(f"cannot read {error}") from error
    except ValueError as error:
        return error


def test_a_stack_trace_has_frames_and_types_but_no_messages() -> None:
    trace = stack_trace(failure())
    assert trace.count("Traceback (most recent call last):") == 2
    assert 'test_log.py", line' in trace
    assert trace.index("KeyError\n") < trace.index("ValueError")
    assert "the user's text'" not in trace.replace('raise KeyError("the user\'s text")', "")
    assert trace.endswith("\nValueError")


def test_a_line_is_one_json_document(capfd: pytest.CaptureFixture[str]) -> None:
    log_lines.write({"message": "two\nlines \u2028 \ud800"})
    out = capfd.readouterr().out
    assert out.count("\n") == 1
    assert out.isascii()
    assert json.loads(out) == {"message": "two\nlines \u2028 \ud800"}


def test_resident_memory_counts_what_is_held() -> None:
    before = rss_mb()
    with mmap.mmap(-1, 64 * 2**20) as held:  # pages of its own, never what was freed before
        held.write(b"x" * len(held))
        assert 50 < rss_mb() - before < 80
