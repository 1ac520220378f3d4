"""Rows of a file, whatever its format. The one reader of every user.

A fault of one row is reported in that row, and the user decides whether it ends the work; a fault
of the whole file raises TableError. Both say where it is and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tables.excel import ExcelRows
from tables.hub_dataset import HubLayoutRows, is_hub_layout
from tables.parquet import ParquetRows
from tables.remote_table import RemoteTable, TableLocation
from tables.row import Fields, TableError, TableRow, TableSource
from tables.saved_dataset import SavedDatasetRows, is_saved_dataset
from tables.text_rows import TEXT_FORMATS, TextRows

__all__ = ["Fields", "TableError", "TableReader", "TableRow", "format_of"]

PARQUET, EXCEL = ".parquet", (".xlsx", ".xlsm")
SAVED_DATASET, HUB_LAYOUT = "saved dataset", "folders of Parquet files"
FORMATS = (*TEXT_FORMATS, PARQUET, *EXCEL)


def format_of(path: Path) -> str:
    """The extension of a table, SAVED_DATASET or HUB_LAYOUT; raises TableError."""
    for extension in FORMATS:
        if path.name.lower().endswith(extension):
            return extension
    if is_saved_dataset(path):
        return SAVED_DATASET
    if is_hub_layout(path):
        return HUB_LAYOUT
    if path.is_dir():
        problem = "a folder, but none that `save_to_disk` of datasets wrote"
        raise TableError(f"{path}: {problem} and none with CONFIG/SPLIT/*.parquet of the hub")
    plain = [extension for extension in FORMATS if not extension.endswith(".gz")]
    names = f"{', '.join(plain)}; of text files, also with .gz"
    raise TableError(f"{path}: the name must end in one of {names}")


def files_of(path: Path) -> list[Path]:
    """The files that a table is made of, in order: itself, or those of its folder."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())


class TableReader:
    """The rows of one table, and how far it was read. Holds few rows at a time."""

    def __init__(self, path: TableLocation) -> None:
        """Open a table; raises TableError for what is no file, table or usable header."""
        self._path = path
        self._source: TableSource
        if isinstance(path, RemoteTable):
            with _place_named(path):
                remote = path.open()
            self._source, self.total_bytes = remote, remote.total_bytes
        else:
            self._source = _opened(path)
            self.total_bytes = sum(file.stat().st_size for file in files_of(path))
        self.columns = self._source.columns
        """Known from the start; None where every row names its own, as in JSONL."""

    @property
    def read_bytes(self) -> int:
        """Bytes of the file read so far, compressed when the file is."""
        return min(self._source.read_bytes, self.total_bytes)

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the file is read; of empty rows, those passed so far."""
        notes = [f"{self._path}: {note}" for note in self._source.notes]
        if empty := self._source.empty_rows:
            notes.append(f"{self._path}: {empty} empty row{'s' * (empty > 1)} skipped")
        return notes

    def __iter__(self) -> Iterator[TableRow]:
        """The rows; raises TableError where the file breaks off."""
        with _place_named(self._path):
            yield from self._source

    def __enter__(self) -> TableReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()


def _opened(path: Path) -> TableSource:
    extension = format_of(path)
    with _place_named(path):
        if extension == SAVED_DATASET:
            return SavedDatasetRows(path)
        if extension == HUB_LAYOUT:
            return HubLayoutRows(path)
        if extension == PARQUET:
            return ParquetRows(path)
        if extension in EXCEL:
            return ExcelRows(path)
        return TextRows(path, extension)


@contextmanager
def _place_named(path: TableLocation) -> Iterator[None]:
    """TableErrors with the table's name, those of the file system among them."""
    try:
        yield
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}; give the path of a table") from None
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
