"""Rows of CSV text, whatever its delimiter; the first line names the columns."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from tables.delimiter import delimiter_name, find_delimiter, sep_line
from tables.encodings import HEAD_BYTES, encoding_problem, is_utf8
from tables.row import TableError, TableRow, header_problem, without_trailing_blanks

MAX_CELL_CHARS = 2**24
"""Longest cell; a quote that is never closed would otherwise swallow the file."""
TAB = "\t"


class CsvRows:
    """The rows of one file, and how it is read."""

    def __init__(self, text: TextIO, usual_delimiter: str) -> None:
        """Find the delimiter and read the header; raises TableError without the file's name.

        `text` stands at its beginning and can be set back to it.
        """
        csv.field_size_limit(MAX_CELL_CHARS)
        head = text.read(HEAD_BYTES)
        named = sep_line(head.partition("\n")[0])
        delimiter = named or find_delimiter(head, usual_delimiter)
        self.notes: list[str] = []
        if delimiter != usual_delimiter:
            self.notes.append(f"the delimiter is a {delimiter_name(delimiter)}")
        self.empty_rows = 0
        self._lines_before = 1 if named else 0
        self._delimiter = delimiter
        is_unquoted = delimiter == TAB and _is_unquoted(text, self._lines_before)
        if is_unquoted:
            self.notes.append("its cells are not quoted: quotes are read as part of the text")
        _to_line(text, self._lines_before)
        self._cells = csv.reader(
            text,
            delimiter=delimiter,
            quoting=csv.QUOTE_NONE if is_unquoted else csv.QUOTE_MINIMAL,
            strict=True,
        )
        self.columns = self._header()

    def __iter__(self) -> Iterator[TableRow]:
        """The rows with any cell that is not blank."""
        while True:
            begin = self._line + 1
            try:
                cells = next(self._cells, None)
            except csv.Error as error:
                yield TableRow(self._line, None, _csv_problem(error, begin))
                continue
            if cells is None:
                return
            if any(cell and not cell.isspace() for cell in cells):
                yield self._row(cells)
            else:
                self.empty_rows += 1

    @property
    def _line(self) -> int:
        return self._cells.line_num + self._lines_before

    def _header(self) -> list[str]:
        try:
            first_line = next(filter(any, self._cells), [])
        except csv.Error as error:
            raise TableError(_csv_problem(error, self._lines_before + 1)) from None
        columns = without_trailing_blanks(first_line)
        if not all(map(is_utf8, columns)):
            raise TableError(f"line {self._line} is {encoding_problem(' '.join(columns))}")
        if problem := header_problem(columns):
            raise TableError(problem)
        return columns

    def _row(self, cells: list[str]) -> TableRow:
        width = len(self.columns)
        if len(cells) > width:
            cells = [*cells[:width], *without_trailing_blanks(cells[width:])]
        if len(cells) != width:
            counts = f"{len(cells)} cells, the first line names {width} columns"
            quote = f"quote cells that hold a {delimiter_name(self._delimiter)}"
            return TableRow(self._line, None, f"{counts}; {quote}")
        if not all(map(is_utf8, cells)):
            return TableRow(self._line, None, encoding_problem(" ".join(cells)))
        return TableRow(self._line, dict(zip(self.columns, cells, strict=True)))


def _is_unquoted(text: TextIO, lines_before: int) -> bool:
    """Whether rows with tabs make sense only if a quote is a character like others.

    Many programs write them so. It shows where quotes open or close no cell, while each line has as
    many cells as the first. A quote that is doubled, or in the header, is a sign of the contrary.
    """
    _to_line(text, lines_before)
    try:
        deque(csv.reader(text, delimiter=TAB, strict=True), maxlen=0)
        return False
    except csv.Error:
        pass
    _to_line(text, lines_before)
    filled = (line for line in text if not line.isspace())
    header = next(filled, "")
    cells = header.count(TAB)
    return (
        cells > 0
        and '"' not in header
        and all(line.count(TAB) == cells and '""' not in line for line in filled)
    )


def _to_line(text: TextIO, lines_before: int) -> None:
    text.seek(0)
    for _ in range(lines_before):
        text.readline()


def _csv_problem(error: csv.Error, begin: int) -> str:
    where = f"not CSV ({error}) in the row that begins in line {begin}"
    return f"{where}; close each quoted cell, and double the quotes within"
