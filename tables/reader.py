"""Rows of a file: JSONL, JSONL.gz or CSV, told by its extension. One reader for every user."""

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
CELL_CHARS = 2**24
"""Longest CSV cell; a quote that is never closed would otherwise swallow the file."""
Fields = dict[str, Any]


@dataclass(frozen=True)
class TableRow:
    """A row of the input, or the reason why it is none."""

    line: int
    """Where it ends, counted from 1."""
    fields: Fields | None
    problem: str | None = None


def format_of(path: Path) -> str:
    """The extension of a table; raises ValueError naming those that can be read."""
    for extension in FORMATS:
        if path.name.lower().endswith(extension):
            return extension
    raise ValueError(f"{path}: the name must end in one of {', '.join(FORMATS)}")


class TableReader:
    """The rows of one file, and how far it was read. Holds one row at a time."""

    def __init__(self, path: Path) -> None:
        """Open a table; raises ValueError for another extension or an unusable CSV header."""
        self._path = path
        self._format = format_of(path)
        self._file = path.open("rb")
        self.total_bytes = path.stat().st_size
        self.columns: list[str] | None = None
        """The header of a CSV file, known from the start; None for JSONL."""
        if self._format == ".csv":
            # Bytes that are not UTF-8 arrive as surrogates, and are found row by row.
            self._text = io.TextIOWrapper(self._file, "utf-8-sig", "surrogateescape", newline="")
            csv.field_size_limit(CELL_CHARS)
            self._cells = csv.reader(self._text)
            self.columns = next(self._cells, [])
            self._check_header(self.columns)

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far, compressed when the file is."""
        return min(self._file.raw.tell(), self.total_bytes)

    def __iter__(self) -> Iterator[TableRow]:
        """The rows; raises ValueError when a compressed file breaks off."""
        if self.columns is not None:
            return self._csv_rows(self.columns)
        return self._packed_rows() if self._format == ".jsonl.gz" else _json_rows(self._file)

    def close(self) -> None:
        self._file.close()

    def _packed_rows(self) -> Iterator[TableRow]:
        try:
            with gzip.GzipFile(fileobj=self._file) as lines:
                yield from _json_rows(lines)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{self._path}: not a whole gzip file ({error})") from None

    def _csv_rows(self, columns: list[str]) -> Iterator[TableRow]:
        while True:
            try:
                cells = next(self._cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield TableRow(self._cells.line_num, None, f"not CSV ({error})")
                continue
            if cells:
                yield _csv_row(self._cells.line_num, cells, columns)

    def _check_header(self, columns: list[str]) -> None:
        problem = None
        if not columns:
            problem = "the file is empty; its first line must name the columns"
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            problem = f"the first line names {', '.join(twice)} twice; rename one"
        if problem is not None:
            self.close()
            raise ValueError(f"{self._path}: {problem}")


def _json_rows(lines: Iterable[bytes]) -> Iterator[TableRow]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _json_row(number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _json_row(number: int, line: bytes) -> TableRow:
    try:
        fields = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return TableRow(number, None, f"not UTF-8 (byte {error.start} of the line)")
    except (ValueError, RecursionError) as error:
        return TableRow(number, None, f"not JSON ({error})")
    if not isinstance(fields, dict):
        return TableRow(number, None, "not a JSON object")
    return TableRow(number, fields)


def _csv_row(line: int, cells: list[str], columns: list[str]) -> TableRow:
    if len(cells) != len(columns):
        return TableRow(
            line, None, f"{len(cells)} cells, the first line names {len(columns)} columns"
        )
    if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
        return TableRow(line, None, "not UTF-8")
    return TableRow(line, dict(zip(columns, cells, strict=True)))
