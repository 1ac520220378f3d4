"""Which JSON objects are in a stream, and which lines of other text? Read with a bounded buffer.

Objects stand one a line, or are printed over several lines, follow each other, or are a list.
Nothing raises on the way to a later object: what is not JSON comes out as lines of text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

LONGEST = 2**20
"""Characters of the longest object and the longest line; Cloud Logging takes entries of 256 KiB."""
CHUNK = 2**18
DECODER = json.JSONDecoder(parse_int=float)
"""`int` refuses a number of thousands of digits; Cloud Logging has doubles anyway."""
SEPARATORS = re.compile(r"[\s,\[\]\ufeff\x1e]*")
"""What may stand before an object: marks of a list, of byte order, of a JSON text sequence."""
BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|(?P<opening>[{\[])|[}\]]', re.DOTALL)
"""Brackets, and strings, whose brackets are text."""


class JsonStream:
    """Iterate over it once for a stream's objects and its lines of other text, in their order."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        """Where in the text reading goes on."""
        self._last_line = 1
        """Number of the last line in the text."""
        self._in_list = False
        """All so far is one list, whose end is not reached."""
        self.cut_line: int | None = None
        """When all is read: the line at which the list breaks off that the stream should be."""

    def __iter__(self) -> Iterator[dict[str, Any] | str]:
        is_first, is_broken = True, False
        while True:
            separators = self._skip_separators()
            is_end = self._at == len(self._text)
            is_object = self._text.startswith("{", self._at)
            if is_first:
                self._in_list = is_object and "[" in separators
            else:
                self._in_list &= "]" not in separators and (is_end or "," in separators)
            if is_end:
                if self._in_list and (is_broken or "," in separators):
                    self.cut_line = self._last_line
                return
            value = self._value() if is_object or self._in_list else self._skip_line()
            is_first, is_broken = False, isinstance(value, str)
            yield value

    def _read_on(self) -> bool:
        """Hold more text, half of it new at least; False at the end, or when too much is held."""
        held = self._text[self._at :]
        if len(held) >= LONGEST:
            return False
        chunk = self._stream.read(max(CHUNK, len(held)))
        self._text, self._at = held + chunk, 0
        self._last_line += chunk.count("\n")
        return chunk != ""

    def _skip_separators(self) -> set[str]:
        """Go on to the next object or line, or to the end; the separators before it."""
        separators: set[str] = set()
        while True:
            match = SEPARATORS.match(self._text, self._at)
            assert match is not None
            separators.update(match[0])
            self._at = match.end()
            if self._at < len(self._text) or not self._read_on():
                return separators

    def _value(self) -> dict[str, Any] | str:
        """The object that begins here; text for an element of a list that is none, or is broken."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                breaks_off = self._text.find("\n", error.pos) < 0  # no string holds a line's end
                if not (breaks_off and self._read_on()):
                    return self._skip_broken(breaks_off)
            except RecursionError:
                if self._text.find("\n", self._at) >= 0 or not self._read_on():
                    return self._skip_deep()
            else:
                is_object = isinstance(value, dict)
                if is_object or end < len(self._text) or not self._read_on():
                    self._at = end
                    return value if is_object else ""

    def _skip_broken(self, breaks_off: bool) -> str:
        """Skip the first line of an object; all that is held of one that goes on for too long."""
        if breaks_off and len(self._text) - self._at >= LONGEST:
            self._at = len(self._text)
        elif breaks_off and self._in_list:
            self.cut_line = self._last_line
        return self._skip_line()

    def _skip_deep(self) -> str:
        """Skip an object of one line that is nested deeper than Python can read, else its line."""
        line_end = self._text.find("\n", self._at)
        depth = 0
        for bracket in BRACKETS.finditer(
            self._text, self._at, line_end if line_end >= 0 else len(self._text)
        ):
            if not bracket[0].startswith('"'):
                depth += 1 if bracket["opening"] else -1
            if depth == 0:
                self._at = bracket.end()
                return ""
        return self._skip_line()

    def _skip_line(self) -> str:
        """The rest of this line, of a long one its beginning."""
        while (end := self._text.find("\n", self._at)) < 0 and self._read_on():
            pass
        line = self._text[self._at : end if end >= 0 else len(self._text)]
        self._at += len(line)
        while end < 0 and self._read_on():
            end = self._text.find("\n")
            self._at = end if end >= 0 else len(self._text)
        return line
