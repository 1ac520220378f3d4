"""No line ends the reading of a log: any bytes, any JSON, any value in any field of a line."""

from __future__ import annotations

import copy
import json
import math
from io import BufferedReader, BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiling.logs.comparison import Side, compare
from profiling.logs.drift import Drift, drift_over_time
from profiling.logs.drift_tables import drift_text
from profiling.logs.log_tables import comparison_text, revision_text
from profiling.logs.logs_command import document_text
from profiling.logs.source import Log, SourceError, Window, gather, read_stream
from profiling.logs.summary import by_revision
from tests.profiling.logs.lines import answer_counts, line
from tests.serving import ROOT

GOOD = [json.dumps(line(duration_ms)).encode() for duration_ms in (1.5, 2.5)]
FROZEN = (ROOT / "tests" / "frozen" / "function.log").read_bytes().splitlines()


def read(log: bytes) -> Log:
    return gather(read_stream(BufferedReader(BytesIO(log))), Window())


def show(log: Log) -> None:
    """Everything that is printed of a log, as bytes that a terminal and a file take."""
    summaries = by_revision(log)
    comparison = compare(Side("a", log.requests), Side("b", log.requests))
    texts = [revision_text(summary) for summary in summaries] + [comparison_text(comparison)]
    drifts = drifts_of(log)
    texts += [drift_text(drift) for drift in drifts]
    assert "\x1b" not in "".join(texts)
    "".join(texts).encode()
    document = document_text(log, summaries, comparison, drifts)
    json.loads(document, parse_constant=pytest.fail)


def drifts_of(log: Log) -> list[Drift]:
    try:
        return drift_over_time(log.requests, None)
    except SourceError:  # no line counts answers
        return []


# Any line


ODD: dict[str, bytes | dict[str, Any]] = {
    "not UTF-8": b'{"message": "\xff\xfe"}',
    "all bytes": bytes(range(14, 256)),
    "thousands of digits": b'{"a": ' + b"9" * 10_000 + b"}",
    "nested deeply": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "no object": b"[[1], null]",
    "a resource that is a string": {"severity": "INFO", "resource": "x"},
    "labels that are a list": {"severity": "INFO", "resource": {"labels": [1]}},
    "a payload that is a list": {"jsonPayload": [{"profile": {"spans": []}}]},
    "a severity that is a list": {"severity": ["ERROR"], "message": "x"},
    "a profile that is a string": {"profile": "spans"},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_line_is_skipped(name: str) -> None:
    odd = ODD[name]
    log = read(
        b"\n".join([GOOD[0], odd if isinstance(odd, bytes) else json.dumps(odd).encode(), GOOD[1]])
    )
    assert list(log.requests["duration_ms"]) == [1.5, 2.5]
    assert (log.skipped, log.other_version, log.failures.total()) == (1, 0, 0)
    show(log)


@pytest.mark.parametrize(
    "field",
    [b'"x": "\xff\xfe"', b'"message": "\xc3"', b'"x": ' + b"9" * 10_000, b'"x": [1e999, NaN]'],
    ids=lambda field: field[:14].decode("ascii", "replace"),
)
def test_a_request_counts_whatever_else_its_line_says(field: bytes) -> None:
    log = read(b"{" + field + b", " + GOOD[0].removeprefix(b"{"))
    assert (list(log.requests["duration_ms"]), log.skipped, log.other_version) == ([1.5], 0, 0)
    show(log)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": ""}, "no message"),
        ({"message": " \n"}, "no message"),
        ({"message": ["x"]}, "no message"),
        ({"message": [], "textPayload": "Out of memory\nat 0x0"}, "Out of memory"),
        ({"message": "\x1b[2J\ud800!"}, "\ufffd[2J\ufffd!"),
        ({"message": "x" * 1000}, "x" * 300),
        ({"message": "x", "time": 1e999, "resource": {"labels": {"revision_name": {}}}}, "x"),
    ],
)  # fmt: skip
def test_an_error_is_counted_whatever_is_its_message(error: dict[str, Any], message: str) -> None:
    log = gather([{"severity": "ERROR", **error}], Window())
    assert log.failures == {("unknown", message): 1}
    show(log)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_between_two_lines_leave_them_read(odd: bytes) -> None:
    bytes_are_one_odd_line(odd)


def bytes_are_one_odd_line(odd: bytes) -> None:
    log = read(b"\n".join([GOOD[0], odd, GOOD[1]]))
    assert list(log.requests["duration_ms"]) == [1.5, 2.5]
    show(log)


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=50) | st.sampled_from([*FROZEN, *GOOD, b"[", b"]", b",", b"\n"]))
)
def test_any_bytes_are_a_log(parts: list[bytes]) -> None:
    bytes_are_a_log(b"".join(parts))


def bytes_are_a_log(log: bytes) -> None:
    """It is read and shown, or a SourceError says what is wrong."""
    try:
        shown = read(log)
    except SourceError:
        return
    show(shown)


# Any field


COUNTED = line(answers=answer_counts({"topic": "a", "tags": ["b", "c"]}), explain_tokens=4)
COUNTS = ("profile", "answers")
TAGS = (*COUNTS, "tasks", "tags")
LINES = [line(), COUNTED, json.loads(FROZEN[0])]
NUMBERS = [True, False, "1", None, [], {}, -1, -0.5, math.nan, math.inf, 1e13, 1e300, 10**400]
ODD_FIELDS: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("profile", "spans"), [1, "no", None, {}, [1], [[]], [None], [{}], [{"name": "run"}] * 1001]),
    (("profile", "spans", 0, "name"), [1, None, "", [], {}]),
    (("profile", "spans", 0, "start_ms"), ["1", None, True, math.nan, math.inf, [], 10**400]),
    (("profile", "spans", 0, "duration_ms"), [value for value in NUMBERS if value is not None]),
    (("profile", "cold"), [0, 1, "true", None, []]),
    (("profile", "route"), [1, None, "", []]),
    (("profile", "status"), [*NUMBERS, 200.5, 1000]),
    (("profile", "texts"), [*NUMBERS, 1.5]),
    (("profile", "tokens"), [*NUMBERS, 1.5]),
    (("profile", "duration_ms"), NUMBERS),
    (("profile", "rss_mb"), NUMBERS),
    (("profile", "dropped"), [*NUMBERS, 1.5]),
    (("profile", "instance"), [1, "id", None, [], {}, {"id": "x"}, {"age_s": 1}]),
    (("profile", "instance", "id"), [1, None, "", []]),
    (("profile", "instance", "age_s"), NUMBERS),
    (("profile", "instance", "restart"), [0, 1, "true", None, []]),
    (("profile", "explain_tokens"), [*NUMBERS, 1.5]),
    (COUNTS, [1, "no", None, {}, []]),
    ((*COUNTS, "pieces"), [*NUMBERS, 1.5]),
    ((*COUNTS, "unknown"), [*NUMBERS, 1.5, 5]),
    ((*COUNTS, "tasks"), [1, "no", None, [], {"tags": 1}, {"tags": {}}, {"tags": None}]),
    ((*TAGS, "labels"), [1, "no", None, [], {"b": -1}, {str(n): 1 for n in range(300)}]),
    ((*TAGS, "scores"), [1, "no", None, [], {}, [1] * 9, [1] * 11, [-1] * 10, [""] * 10]),
]
MAY_BE_MISSING = ("dropped", "restart", "explain_tokens", "answers")


def changed(entry: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    entry = copy.deepcopy(entry)
    place: Any = entry
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return entry


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in ODD_FIELDS for value in values]
)
def test_an_odd_field_makes_a_line_of_another_version(
    path: tuple[str | int, ...], value: Any
) -> None:
    log = gather([line(), changed(COUNTED, path, value)], Window())
    assert (len(log.requests), log.other_version, log.skipped) == (1, 1, 0)
    show(log)


@pytest.mark.parametrize("path", [path for path, _ in ODD_FIELDS if path[-1] not in MAY_BE_MISSING])
def test_a_field_that_is_missing_makes_a_line_of_another_version(
    path: tuple[str | int, ...],
) -> None:
    entry = changed(COUNTED, path, None)
    place = entry
    for key in path[:-1]:
        place = place[key]  # type: ignore[index]
    del place[path[-1]]  # type: ignore[arg-type]
    log = gather([entry], Window())
    expected = (0, 0, 1) if path == ("profile", "spans") else (0, 1, 0)
    assert (len(log.requests), log.other_version, log.skipped) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("message",), [1]),
        (("message",), ""),
        (("time",), 1),
        (("time",), "9999-12-31T23:59:59-23:00"),
        (("time",), "now"),
        (("severity",), {}),
        (("profile", "revision"), 5),
        (("profile", "bundle"), []),
        (("profile", "format"), 3),
        (("resource",), "x"),
        (("resource",), {"labels": [1]}),
        (("trace",), [1]),
    ],
)
def test_a_field_that_no_figure_rests_on_may_be_anything(
    path: tuple[str | int, ...], value: Any
) -> None:
    log = gather([changed(line(), path, value)], Window())
    assert (len(log.requests), log.other_version, log.skipped) == (1, 0, 0)
    show(log)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(
        ["ERROR", "POST /", "stdout", "idle", "load", "request", "2026-11-20", 10**400]
    ),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3)
    ),
    max_leaves=10,
)


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """A real line or its LogEntry, a few of its fields replaced or taken away."""
    entry: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(LINES)))
    if draw(st.booleans()):
        labels = {"service_name": "s", "revision_name": "s-1"}
        entry = {"jsonPayload": entry, "timestamp": entry["time"], "resource": {"labels": labels}}
    for _ in range(draw(st.integers(1, 3))):
        place: Any = entry
        key = draw(st.sampled_from(sorted(entry)))
        while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
            place = place[key]
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(keys))
        if draw(st.booleans()):
            place[key] = draw(VALUES)
        elif len(place) > 1:
            del place[key]
    return entry


@settings(deadline=None)
@given(st.lists(mutations(), min_size=1, max_size=3))
def test_any_value_may_stand_in_any_field(entries: list[dict[str, Any]]) -> None:
    objects_are_a_log(entries)


@settings(deadline=None)
@given(VALUES)
def test_any_value_is_an_entry(value: Any) -> None:
    objects_are_a_log([value])


def objects_are_a_log(values: list[Any]) -> None:
    """Each counts as one thing or another, and as a line can be read and shown."""
    log = gather(values, Window())
    counts = len(log.requests), log.failures.total(), log.other_version, log.skipped
    assert sum(counts) == len(values)
    bytes_are_a_log(b"\n".join(json.dumps(value).encode() for value in values))
