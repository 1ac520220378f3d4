"""What stands between the cells of a CSV file? A `sep=` line says it, else the first rows do."""

from __future__ import annotations

import csv
import io
import re

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Those that are looked for, the likelier first."""
ROWS = 50
"""Rows that decide."""
SEP_LINE = re.compile(r'"?sep=(\\t|[^\r\n])"?\r?\n?', re.IGNORECASE)


def sep_line(line: str) -> str | None:
    """The delimiter that a first line `sep=;`, as spreadsheets write it, sets; None: no such."""
    match = SEP_LINE.fullmatch(line)
    return match and match[1].replace("\\t", "\t")


def find_delimiter(head: str, usual: str) -> str:
    """The delimiter with which the first line of `head` has columns and the rows fit it best.

    `head` may break off within a row. `usual` is of the file's extension, and wins where another
    one does as well.
    """

    def fit(delimiter: str) -> tuple[float, int]:
        """Share of the rows with as many cells as the header has, and how many these are."""
        header, *rows = _sizes(head, delimiter)
        fitting = sum(size == header for size in rows) / len(rows) if rows else 1.0
        return (fitting, header) if header > 1 else (-1.0, 0)

    return max([usual, *DELIMITERS], key=fit)


def delimiter_name(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, repr(delimiter))


def _sizes(head: str, delimiter: str) -> list[int]:
    """How many cells each of the first rows has, 0 where it is not CSV.

    The last, which may break off, is left out.
    """
    rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
    sizes: list[int] = []
    while len(sizes) < ROWS:
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            sizes.append(0)
        else:
            if any(cells):
                sizes.append(len(cells))
    return (sizes[:-1] if len(sizes) > 2 else sizes) or [1]
