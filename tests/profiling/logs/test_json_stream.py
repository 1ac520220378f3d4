"""Objects in a stream, however they are written, and the lines between them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.logs.json_stream import LONGEST, JsonStream
from profiling.logs.source import read_file

OBJECTS = [{"a": [1.0, {"b": "}\n{"}], "c": "é\U0001f600"}, {}, {"d": {"e": None}}]
ITEMS = st.lists(
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3), max_size=3)
)


class Trickle(StringIO):
    """A stream that gives a few characters at a time, so that each object is broken somewhere."""

    def read(self, size: int | None = -1) -> str:
        return super().read(7)


def objects(text: str) -> list[dict[str, Any]]:
    values = list(JsonStream(StringIO(text)))
    assert values == list(JsonStream(Trickle(text)))
    return [value for value in values if isinstance(value, dict)]


WAYS = {
    "lines": "\n".join(map(json.dumps, OBJECTS)),
    "lines of Windows": "\r\n".join(map(json.dumps, OBJECTS)),
    "no lines": "".join(map(json.dumps, OBJECTS)),
    "pretty, one after the other": "\n".join(json.dumps(it, indent=2) for it in OBJECTS),
    "a list": json.dumps(OBJECTS),
    "a pretty list": json.dumps(OBJECTS, indent=4),
    "a list with a line for each": "[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n",
    "several lists": "\n".join([json.dumps(OBJECTS[:1], indent=1), json.dumps(OBJECTS[1:])]),
    "a text sequence": "".join(f"\x1e{json.dumps(it)}\n" for it in OBJECTS),
    "lists with other elements": f"[{json.dumps(OBJECTS[0])}, 12, null, \"x\", {{}}, "
    + json.dumps(OBJECTS[2:])[1:],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_objects_come_out_however_they_are_written(way: str) -> None:
    assert objects(WAYS[way]) == OBJECTS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("way", ["lines", "a pretty list"])
def test_a_byte_order_mark_and_utf_16_are_read(encoding: str, way: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "log").write_text(mark + WAYS[way], encoding, newline="")
    assert list(read_file(tmp_path / "log")) == OBJECTS


@given(ITEMS, st.sampled_from([None, 0, 3]), st.booleans())
def test_any_objects_come_out(items: list[Any], indent: int | None, in_list: bool) -> None:
    if in_list:
        assert objects(json.dumps(items, indent=indent)) == items
    assert objects("\n".join(json.dumps(item, indent=indent) for item in items)) == items


DEEP = '{"a":' * 5000 + "1" + "}" * 5000
BROKEN = [
    "{", "[", "]", "}", '"', "\\", ",", '{"a": 1, "b', '{"a":', '{"a": [', '{"a": 1,', '{"a"}',
    '{"a": tru', "{'a': 1}", '{"a": "\x00"}', '{"a": "\\u12"}', "nul", "[x]", "[1, 2", "\ufeff",
    "12", "NaN", '["a", {', "# {}", DEEP, DEEP[:-1], "[" * 5000, "x" * 2 * LONGEST,
    '{"a": "' + "x" * 2 * LONGEST, '{"a": "' + "x" * 2 * LONGEST + '"}',
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda line: line[:12])
@pytest.mark.parametrize("way", ["lines", "pretty, one after the other"])
def test_a_broken_line_takes_no_other_with_it(broken: str, way: str) -> None:
    stream = JsonStream(StringIO(f"{WAYS[way]}\n{broken}\n{WAYS[way]}\n"))
    whole = [value for value in stream if isinstance(value, dict)]
    assert [value for value in whole if value in OBJECTS] == OBJECTS * 2
    assert stream.cut_line is None


def test_an_element_that_is_too_deep_costs_no_other_of_a_list_on_one_line() -> None:
    texts = [json.dumps(item) for item in OBJECTS]
    assert objects(f"[{texts[0]}, {DEEP}, {texts[1]}, {texts[2]}]") == OBJECTS


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"a": 1},', 1),
        ('[\n  {"a": 1},\n', 3),
        ('[\n  {\n    "a": 1,\n', 4),
        ('[{"a": 1}, {"b": "x', 1),
        ('[{"a": 1}, {"b" 2}, {"c": 3}]', 1),
        ('[\n{"a": 1}\n]', None),
        ('[{"a": 1}', None),  # complete up to here
        ('[2026-11-20 08:00] started\n{"a": 1},', None),
        ('[\n{"a": 1}\n{"b": 2},', None),
    ],
)
def test_a_list_that_breaks_off_says_where(text: str, line: int | None) -> None:
    stream = JsonStream(StringIO(text))
    assert list(stream)
    assert stream.cut_line == line
