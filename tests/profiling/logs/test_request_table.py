"""A log in columns of numbers: in little memory, and with the same numbers."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from io import StringIO
from itertools import chain, islice

import pytest

from profiling.logs import answer_table
from profiling.logs.entry import Record, read_entry
from profiling.logs.json_stream import JsonStream
from profiling.logs.request_table import MOST_REVISIONS, Names
from profiling.logs.source import MOST_FAILURES, Window, gather
from profiling.logs.summary import by_revision
from profiling.logs.wrappings import unwrapped
from tests.profiling.logs.large_log import entries
from tests.profiling.logs.lines import answer_counts, line, log_of, requests_of

LINES = 2000


class Repeated(StringIO):
    """A text over and over, which is never there as a whole."""

    def __init__(self, begin: str, text: str, end: str, times: int) -> None:
        self._parts = chain([begin], (text for _ in range(times)), [end])
        self._rest = ""

    def read(self, size: int | None = -1) -> str:
        while len(self._rest) < (size or 0) and (part := next(self._parts, "")):
            self._rest += part
        text, self._rest = self._rest[:size], self._rest[size:]
        return text


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_log_takes_less_than_its_size() -> None:
    size = sum(len(json.dumps(entry)) for entry in islice(entries(), LINES))
    by_revision(log_of([line()]))  # what it imports counts for no log
    assert peak_bytes(lambda: by_revision(log_of(islice(entries(), LINES)))) < 0.6 * size


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(("begin", "between", "end"), [("[", ",", "{}]"), ("", "", "")])
def test_a_stream_is_never_held_as_a_whole(
    indent: int | None, begin: str, between: str, end: str
) -> None:
    text = json.dumps({"a": ["x" * 1000] * 10}, indent=indent) + between
    stream = Repeated(begin, text, end, 1000)
    assert peak_bytes(lambda: sum(1 for _ in unwrapped(JsonStream(stream)))) < 3_000_000


def test_a_line_without_an_end_is_never_held_as_a_whole() -> None:
    stream = Repeated('{"a": "', "x" * 10_000, "", 3000)
    assert peak_bytes(lambda: list(JsonStream(stream))) < 12_000_000


def test_names_without_end_are_put_together() -> None:
    names = Names(2, "others")
    assert [names.shared(name) for name in "abcdac"] == [
        "a",
        "b",
        "others",
        "others",
        "a",
        "others",
    ]
    revisions = MOST_REVISIONS + 5
    log = log_of(line(revision=str(number)) for number in range(revisions))
    assert log.requests.revisions[-1] == "other revisions"
    assert len(log.requests.of_revision("other revisions")) == 5


def test_labels_without_end_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_table, "MOST_CELLS", 7)
    answers = [answer_counts({"topic": f"label {number}"}) for number in range(100)]
    columns = requests_of(line(answers=of_line) for of_line in answers).answers
    assert (len(columns.cells), len(columns.counts)) == (7, 5 + 2 * 100)


def test_messages_without_end_are_put_together() -> None:
    errors = ({"severity": "ERROR", "message": str(number)} for number in range(MOST_FAILURES + 7))
    log = gather(errors, Window())
    assert log.failures.total() == MOST_FAILURES + 7
    assert log.failures["unknown", "other messages"] == 7


def test_requests_stand_in_the_order_of_their_times_if_each_has_one() -> None:
    lines = [line(1.0, at_s=2), line(2.0, at_s=1), line(3.0, at_s=1)]
    assert list(requests_of(lines)["duration_ms"]) == [2.0, 3.0, 1.0]
    lines[1].pop("time")
    assert list(requests_of(lines)["duration_ms"]) == [1.0, 2.0, 3.0]


def test_spans_come_back_as_they_were_read() -> None:
    lines = [
        line(5.0, at_s=2, spans={"run": (1.0, 2.0), "load": (0.5, 4.0)}, cold=True),
        line(5.0, at_s=1, spans={"run": (1.5, 2.5), "parse": (1.0, 0.25)}),
        line(5.0, at_s=3, status=500, spans={"parse": (1.0, 9.0)}),
    ]
    requests = requests_of(lines)
    for place, entry in enumerate([lines[1], lines[0]]):
        record = read_entry(entry)
        assert isinstance(record, Record)
        assert requests.spans_of(place) == list(record.spans)
    assert requests.span_names == ["request", "parse", "run", "load"]
    run = requests.span("run")
    assert (list(run.places), list(run.totals_ms)) == ([0, 1], [2.5, 2.0])
    assert list(requests.where(requests["cold"]).span("run").totals_ms) == [2.0]
    assert requests.span("none").places.size == 0
