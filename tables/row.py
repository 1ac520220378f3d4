"""What every format gives: rows with their line, and what is said about the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

Fields = dict[str, Any]


class TableError(ValueError):
    """The file cannot be read as a table; the message names it and says what to do."""


@dataclass(frozen=True)
class TableRow:
    """A row of the file, or the reason why it cannot be read."""

    line: int
    """Its last line, or its number where a format has no lines; counted from 1."""
    fields: Fields | None
    problem: str | None = None


class TableSource(Protocol):
    """One opened file of some format."""

    columns: list[str] | None
    """Known from the start; None where every row names its own."""
    notes: list[str]
    """What a person should know of how the file is read, but did not write."""

    @property
    def empty_rows(self) -> int:
        """Rows passed over so far since all of their cells are empty."""

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far."""

    def __iter__(self) -> Iterator[TableRow]:
        """The rows; raises TableError for a fault of the whole file."""

    def close(self) -> None:
        """Close the file."""


def header_problem(columns: list[str]) -> str | None:
    """Why these cannot be the columns of a table, and what to do."""
    if not columns:
        return "the file is empty; its first line must name the columns"
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        names = ", ".join(name or repr(name) for name in repeated)
        return f"the first line names {names} twice; rename one"
    return None


def without_trailing_blanks(cells: list[Any]) -> list[Any]:
    """Cells up to the last that is not blank: spreadsheets leave empty columns at the right."""
    end = len(cells)
    while end and is_blank_cell(cells[end - 1]):
        end -= 1
    return cells[:end]


def is_blank_cell(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
