"""Rows in and out of files: JSONL, JSONL.gz and CSV, told by their extension."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMATS = (".jsonl.gz", ".jsonl", ".csv")
CELL_CHARS = 2**24
"""Longest CSV cell; a quote that is never closed would otherwise swallow the file."""
SEPARATOR = "|"
"""Between the labels of one CSV cell."""

Fields = dict[str, Any]


@dataclass(frozen=True)
class Row:
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

    def __iter__(self) -> Iterator[Row]:
        """The rows; raises ValueError when a compressed file breaks off."""
        if self.columns is not None:
            return self._csv_rows(self.columns)
        return self._packed_rows() if self._format == ".jsonl.gz" else _json_rows(self._file)

    def close(self) -> None:
        self._file.close()

    def _packed_rows(self) -> Iterator[Row]:
        try:
            with gzip.GzipFile(fileobj=self._file) as lines:
                yield from _json_rows(lines)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{self._path}: not a whole gzip file ({error})") from None

    def _csv_rows(self, columns: list[str]) -> Iterator[Row]:
        while True:
            try:
                cells = next(self._cells)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(self._cells.line_num, None, f"not CSV ({error})")
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


def _json_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _json_row(number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _json_row(number: int, line: bytes) -> Row:
    try:
        fields = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Row(number, None, f"not UTF-8 (byte {error.start} of the line)")
    except (ValueError, RecursionError) as error:
        return Row(number, None, f"not JSON ({error})")
    if not isinstance(fields, dict):
        return Row(number, None, "not a JSON object")
    return Row(number, fields)


def _csv_row(line: int, cells: list[str], columns: list[str]) -> Row:
    if len(cells) != len(columns):
        return Row(line, None, f"{len(cells)} cells, the first line names {len(columns)} columns")
    if any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
        return Row(line, None, "not UTF-8")
    return Row(line, dict(zip(columns, cells, strict=True)))


def packed(lines: bytes, extension: str) -> bytes:
    """Bytes to append to a file of this extension; gzip files may be many members in a row."""
    return gzip.compress(lines, mtime=0) if extension.endswith(".gz") else lines


def json_lines(rows: Sequence[Fields]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()


def csv_lines(rows: Sequence[Fields], columns: Sequence[str]) -> bytes:
    """CSV of rows that have no other columns than these; lists are joined by `|`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return SEPARATOR.join(value)
    return json.dumps(value, ensure_ascii=False)
