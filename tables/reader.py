"""Rows of a file: JSONL, JSONL.gz or CSV by its extension. The one reader of every user.

A fault of one row is reported in that row, and the user decides whether it ends the work; a fault
of the whole file raises TableError. Both say where it is and how to mend it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMATS = (".jsonl.gz", ".jsonl", ".csv")
MAX_CELL_CHARS = 2**24
"""Longest CSV cell; a quote that is never closed would otherwise swallow the file."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Fields = dict[str, Any]


class TableError(ValueError):
    """The file cannot be read as a table; the message names it and says what to do."""


@dataclass(frozen=True)
class TableRow:
    """A row of the file, or the reason why it cannot be read."""

    line: int
    """Its last line, counted from 1."""
    fields: Fields | None
    problem: str | None = None


def format_of(path: Path) -> str:
    """The extension of a table; raises TableError naming those that can be read."""
    for extension in FORMATS:
        if path.name.lower().endswith(extension):
            return extension
    raise TableError(f"{path}: the name must end in one of {', '.join(FORMATS)}")


class TableReader:
    """The rows of one file, and how far it was read. Holds one row at a time."""

    def __init__(self, path: Path) -> None:
        """Open a table; raises TableError for what is no file, table or usable CSV header."""
        self._path = path
        self._format = format_of(path)
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise TableError(f"{path}: {error.strerror}; give the path of a table") from None
        self.total_bytes = path.stat().st_size
        self.columns: list[str] | None = None
        """The header of a CSV file, known from the start; None for JSONL."""
        if self._format == ".csv":
            # Bytes that are not UTF-8 arrive as surrogates, and are reported row by row.
            self._text = io.TextIOWrapper(self._file, "utf-8-sig", "surrogateescape", newline="")
            csv.field_size_limit(MAX_CELL_CHARS)
            self._cells = csv.reader(self._text)
            self.columns = self._header()

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far, compressed when the file is."""
        return min(self._file.raw.tell(), self.total_bytes)

    def __iter__(self) -> Iterator[TableRow]:
        """The rows; raises TableError when a compressed file breaks off."""
        if self.columns is not None:
            return self._csv_rows(self.columns)
        return self._compressed_rows() if self._format == ".jsonl.gz" else _json_rows(self._file)

    def __enter__(self) -> TableReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _compressed_rows(self) -> Iterator[TableRow]:
        try:
            with gzip.GzipFile(fileobj=self._file) as lines:
                yield from _json_rows(lines)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            problem = f"not a whole gzip file ({error}); make it anew"
            raise TableError(f"{self._path}: {problem}") from None

    def _csv_rows(self, columns: list[str]) -> Iterator[TableRow]:
        while True:
            try:
                cells = next(self._cells, None)
            except csv.Error as error:
                yield TableRow(self._cells.line_num, None, _csv_problem(error))
                continue
            if cells is None:
                return
            if cells:
                yield _csv_row(self._cells.line_num, cells, columns)

    def _header(self) -> list[str]:
        columns: list[str] = []
        try:
            columns = next(self._cells, [])
            problem = _header_problem(columns)
        except csv.Error as error:
            problem = _csv_problem(error)
        if problem is not None:
            self._file.close()
            raise TableError(f"{self._path}: {problem}")
        return columns


def _csv_problem(error: csv.Error) -> str:
    return f"not CSV ({error}); look for a quote that is not closed"


def _header_problem(columns: list[str]) -> str | None:
    if not columns:
        return "the file is empty; its first line must name the columns"
    if not all(map(_is_utf8, columns)):
        return "the first line is not UTF-8; save the file as UTF-8"
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        return f"the first line names {', '.join(repeated)} twice; rename one"
    return None


def _json_rows(lines: Iterable[bytes]) -> Iterator[TableRow]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _json_row(number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line)


def _json_row(number: int, line: bytes) -> TableRow:
    try:
        fields = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 (byte {error.start} of the line); save the file as UTF-8"
        return TableRow(number, None, problem)
    except (ValueError, RecursionError) as error:
        return TableRow(number, None, f"not JSON ({error}); give one JSON object per line")
    if not isinstance(fields, dict):
        return TableRow(number, None, "not a JSON object; give one per line")
    return TableRow(number, fields)


def _csv_row(line: int, cells: list[str], columns: list[str]) -> TableRow:
    if len(cells) != len(columns):
        counts = f"{len(cells)} cells, the first line names {len(columns)} columns"
        return TableRow(line, None, f"{counts}; quote cells that hold a comma")
    if not all(map(_is_utf8, cells)):
        return TableRow(line, None, "not UTF-8; save the file as UTF-8")
    return TableRow(line, dict(zip(columns, cells, strict=True)))


def _is_utf8(cell: str) -> bool:
    """Whether a cell was UTF-8: other bytes arrive as lone surrogates."""
    return cell.isascii() or not any("\udc80" <= char <= "\udcff" for char in cell)
