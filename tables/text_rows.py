"""A text file opened as rows: its compression, its encoding, then CSV or JSON."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tables.csv_rows import CsvRows
from tables.encodings import open_text
from tables.json_rows import JsonRows
from tables.row import TableError, TableRow

TEXT_FORMATS = (
    ".jsonl.gz", ".jsonl", ".json.gz", ".json", ".csv.gz", ".csv", ".tsv.gz", ".tsv"
)  # fmt: skip
"""Extensions of the formats that need nothing beyond the standard library."""
DELIMITER_OF = {".csv": ",", ".tsv": "\t"}
"""What separates cells in files of an extension, unless their first rows say otherwise."""


class TextRows:
    """The rows of one text file; every fault is a TableError without the file's name."""

    def __init__(self, path: Path, extension: str) -> None:
        """Open the file and read the header, if the format has one; raises OSError, too."""
        delimiter = DELIMITER_OF.get(extension.removesuffix(".gz"))
        self._file = path.open("rb")
        binary: IO[bytes] = self._file
        if extension.endswith(".gz"):
            binary = gzip.GzipFile(fileobj=self._file)  # type: ignore[assignment]
        try:
            with _faults_named():
                # Lines of JSON end in \n alone; cells of CSV may hold any line end.
                text, encoding = open_text(binary, "" if delimiter else "\n")
                self._rows = CsvRows(text, delimiter) if delimiter else JsonRows(text)
        except TableError:
            self.close()
            raise
        self.columns = self._rows.columns
        self.notes = list(self._rows.notes)
        if encoding != "UTF-8":
            self.notes.insert(0, f"its encoding is {encoding}")

    @property
    def read_bytes(self) -> int:
        return self._file.raw.tell()

    @property
    def empty_rows(self) -> int:
        return self._rows.empty_rows

    def __iter__(self) -> Iterator[TableRow]:
        with _faults_named():
            yield from self._rows

    def close(self) -> None:
        self._file.close()


@contextmanager
def _faults_named() -> Iterator[None]:
    """Faults of the file's bytes as TableErrors."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TableError(f"not a whole gzip file ({error}); make it anew") from None
    except UnicodeDecodeError as error:
        problem = f"not {error.encoding} as its mark says ({error.reason})"
        raise TableError(f"{problem}; save the file as UTF-8") from None
