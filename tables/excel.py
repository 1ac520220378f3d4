"""Rows of the first sheet of an Excel workbook, by openpyxl; its first row names the columns."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tables.arrow_values import plain_value
from tables.optional import optional_module
from tables.row import TableError, TableRow, header_problem, is_blank_cell, without_trailing_blanks


class ExcelRows:
    """The rows of one workbook; a row's line is its number in the sheet."""

    def __init__(self, path: Path) -> None:
        """Open the workbook; raises OSError, and TableError without the file's name."""
        openpyxl = optional_module("openpyxl")
        self._file = path.open("rb")
        self._size, self._is_read = path.stat().st_size, False
        try:
            self._book = openpyxl.load_workbook(self._file, read_only=True, data_only=True)
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            self._file.close()
            raise TableError(f"not an Excel workbook ({error}); save it as .xlsx") from None
        sheet = self._book.worksheets[0]
        sheet.reset_dimensions()  # some programs write wrong ones
        self._rows: Iterator[tuple[int, list[Any]]] = (
            (number, without_trailing_blanks([plain_value(cell) for cell in cells]))
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1)
        )
        self.notes = []
        if len(self._book.worksheets) > 1:
            count = len(self._book.worksheets)
            self.notes.append(f"of its {count} sheets the first is read, {sheet.title!r}")
        self.empty_rows = 0
        self.columns: list[str] | None = self._header()

    @property
    def read_bytes(self) -> int:
        return self._size if self._is_read else self._file.tell()

    def __iter__(self) -> Iterator[TableRow]:
        columns = self.columns or []
        width = len(columns)
        for number, cells in self._rows:
            if not cells:
                self.empty_rows += 1
            elif len(cells) > width:
                counts = f"{len(cells)} cells, the first row names {width} columns"
                yield TableRow(number, None, f"{counts}; name the others, or empty them")
            else:
                filled = [*cells, *[None] * (width - len(cells))]
                yield TableRow(number, dict(zip(columns, filled, strict=True)))
        self._is_read = True

    def close(self) -> None:
        self._book.close()
        self._file.close()

    def _header(self) -> list[str]:
        first_row = next((cells for _, cells in self._rows if cells), [])
        columns = ["" if is_blank_cell(cell) else str(cell) for cell in first_row]
        if problem := header_problem(columns):
            self.close()
            raise TableError(problem)
        return columns
