"""Rows of JSON text: one object per line, or an array of objects. The first sign tells which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from tables.encodings import encoding_problem, is_utf8
from tables.row import TableError, TableRow

CHUNK_CHARS = 2**16
MAX_ROW_CHARS = 2**26
"""Longest object of an array; a bracket that is never closed would otherwise fill the memory."""
SPACES = " \t\r\n"
NUMBERS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}
"""What Python and pandas write beyond JSON; not a number is no value."""
DECODER = json.JSONDecoder(parse_constant=NUMBERS.__getitem__)


class JsonRows:
    """The rows of one file."""

    def __init__(self, text: TextIO) -> None:
        """`text` stands at its beginning and can be set back to it."""
        self.columns = None
        self.empty_rows = 0
        head = text.read(CHUNK_CHARS).lstrip()
        text.seek(0)
        self._text = text
        self._is_array = head.startswith("[")
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[TableRow]:
        return _array_rows(self._text) if self._is_array else _line_rows(self._text)


def _line_rows(lines: TextIO) -> Iterator[TableRow]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _line_row(number, line)


def _line_row(number: int, line: str) -> TableRow:
    if not is_utf8(line):
        return TableRow(number, None, encoding_problem(line))
    try:
        fields = DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return TableRow(number, None, f"not JSON ({error}); give one JSON object per line")
    return _object_row(number, fields, "give one per line")


def _object_row(line: int, fields: Any, remedy: str) -> TableRow:
    if not isinstance(fields, dict):
        return TableRow(line, None, f"not a JSON object; {remedy}")
    return TableRow(line, fields)


def _array_rows(text: TextIO) -> Iterator[TableRow]:
    """The array's objects, of which one is in memory at a time; raises TableError where it ends."""
    window = _Window(text)
    window.take("[")
    if window.next_sign() == "]":
        return
    while True:
        window.next_sign()
        line = window.line
        yield _array_row(line, *window.value())
        if window.next_sign() == "]":
            return
        window.take(",")


def _array_row(line: int, written: str, fields: Any) -> TableRow:
    if not is_utf8(written):
        return TableRow(line, None, encoding_problem(written))
    return _object_row(line, fields, "give an array of objects")


class _Window:
    """The part of the text that is being read."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._chars, self._place = "", 0
        self.line = 1
        """Of the next sign."""

    def next_sign(self) -> str:
        """The next character that is no space, which stays; raises TableError at the end."""
        while True:
            match = re.compile(rf"[{SPACES}]*").match(self._chars, self._place)
            assert match is not None
            self._advance(match.end())
            if self._place < len(self._chars):
                return self._chars[self._place]
            if not self._extend():
                raise TableError(f"line {self.line}: the array is not closed; make it anew")

    def take(self, sign: str) -> None:
        if self.next_sign() != sign:
            found = self._chars[self._place : self._place + 20]
            raise TableError(f"line {self.line}: {found!r} where {sign!r} is due; mend the JSON")
        self._advance(self._place + 1)

    def value(self) -> tuple[str, Any]:
        """The next value, as it is written and as it is read; raises TableError for none."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._chars, self._place)
            except (ValueError, RecursionError) as error:
                is_long = len(self._chars) - self._place > MAX_ROW_CHARS
                if isinstance(error, RecursionError) or is_long or not self._extend():
                    raise TableError(f"line {self.line}: not JSON ({error}); mend it") from None
                continue
            if end == len(self._chars) and self._extend():
                continue  # a number that may go on
            written = self._chars[self._place : end]
            self._advance(end)
            return written, value

    def _advance(self, place: int) -> None:
        self.line += self._chars.count("\n", self._place, place)
        self._place = place

    def _extend(self) -> bool:
        """Read on, the more the longer the value is; whether there was more."""
        rest = self._chars[self._place :]
        more = self._text.read(max(CHUNK_CHARS, len(rest)))
        self._chars, self._place = rest + more, 0
        return bool(more)
