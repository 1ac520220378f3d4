"""Rows of CSV text, whatever its delimiter; the first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from tables.delimiter import delimiter_name, find_delimiter, sep_line
from tables.encodings import HEAD_BYTES, encoding_problem, is_utf8
from tables.row import TableError, TableRow, header_problem, without_trailing_blanks

MAX_CELL_CHARS = 2**24
"""Longest cell; a quote that is never closed would otherwise swallow the file."""


class CsvRows:
    """The rows of one file, and how it is read."""

    def __init__(self, text: TextIO, usual_delimiter: str) -> None:
        """Find the delimiter and read the header; raises TableError without the file's name.

        `text` stands at its beginning and can be set back to it.
        """
        csv.field_size_limit(MAX_CELL_CHARS)
        head = text.read(HEAD_BYTES)
        text.seek(0)
        delimiter = sep_line(head.partition("\n")[0])
        self._lines_before = 0
        if delimiter is None:
            delimiter = find_delimiter(head, usual_delimiter)
        else:
            text.readline()
            self._lines_before = 1
        self.notes: list[str] = []
        if delimiter != usual_delimiter:
            self.notes.append(f"the delimiter is a {delimiter_name(delimiter)}")
        self.empty_rows = 0
        self._cells = csv.reader(text, delimiter=delimiter)
        self._delimiter = delimiter
        self.columns = self._header()

    def __iter__(self) -> Iterator[TableRow]:
        """The rows with any cell that is not blank."""
        while True:
            try:
                cells = next(self._cells, None)
            except csv.Error as error:
                yield TableRow(self._line, None, _csv_problem(error))
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
            raise TableError(_csv_problem(error)) from None
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


def _csv_problem(error: csv.Error) -> str:
    return f"not CSV ({error}); look for a quote that is not closed"
