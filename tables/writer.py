"""Rows out as bytes: JSON lines, CSV or TSV, plain or as a gzip member that can be appended."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tables.labels import join_labels
from tables.optional import optional_module
from tables.reader import PARQUET
from tables.row import Fields, TableError
from tables.text_rows import DELIMITER_OF

OUTPUT_FORMATS = (".jsonl.gz", ".jsonl", ".csv.gz", ".csv", ".tsv.gz", ".tsv", PARQUET)


def output_format(path: Path) -> str:
    """The extension of a table to write; raises TableError naming those that can be written.

    Also raises it where the format's library is missing.
    """
    for extension in OUTPUT_FORMATS:
        if path.name.lower().endswith(extension):
            if extension == PARQUET:
                optional_module("pyarrow.parquet")
            return extension
    raise TableError(f"{path}: the name must end in one of {', '.join(OUTPUT_FORMATS)}")


def delimiter_of(extension: str) -> str | None:
    """What separates cells in files of an output format; None: it is no CSV or TSV."""
    return DELIMITER_OF.get(extension.removesuffix(".gz"))


def compressed_for(extension: str, lines: bytes) -> bytes:
    """Bytes to append to a file of this extension; a gzip file may hold many members in a row."""
    return gzip.compress(lines, mtime=0) if extension.endswith(".gz") else lines


def json_lines(rows: Sequence[Fields]) -> bytes:
    """One JSON object per row and line, in ASCII."""
    return "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows).encode()


def csv_lines(rows: Sequence[Fields], columns: Sequence[str], delimiter: str = ",") -> bytes:
    """CSV of rows that have no other columns than these; lists of labels are joined by `|`."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    # Python 3.11 leaves a carriage return unquoted, which every reader takes for the line's end.
    quoted = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [_cell(row.get(column)) for column in columns]
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return join_labels(value)
    return json.dumps(value, ensure_ascii=False)
