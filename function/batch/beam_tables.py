"""Tables as batches of rows in a Beam pipeline, by the one reader of tables.

A table is read by one worker, from its first row to its last, since a row of CSV may have any
number of lines; its batches then go to all workers. A file of Cloud Storage is copied to the
worker's disk first.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from function.batch.beam_handler import BATCH_WEIGHT, METRICS, RowExample, text_weight
from function.batch.row_problems import JSON_FIELDS, name_problem, text_problem
from tables.columns import WantedColumns, column_of, no_column
from tables.reader import TableError, TableReader
from tables.remote_table import RemoteTable, TableLocation, table_location
from tables.row import Fields

BATCHES, REJECTED = "batches", "rejected"
"""Outputs of ReadTable."""
WILDCARDS = frozenset("*?[")


class RowBatch(list[RowExample]):
    """Rows of one table, within BATCH_WEIGHT. One element for Beam: a row each would cost more."""


def table_names(source: str) -> list[str]:
    """The tables that a path, a pattern or an address stands for; raises TableError for none."""
    if isinstance(table_location(source), RemoteTable):
        return [source]
    if "://" not in source and Path(source).exists():
        return [source]
    try:
        matches = FileSystems.match([source])[0].metadata_list
    except OSError as error:
        raise TableError(f"{source}: {error}") from None
    if not matches:
        raise TableError(f"{source}: no such file; give the path or the pattern of tables")
    return sorted(match.path for match in matches)


def is_local(name: str) -> bool:
    return "://" not in name


def check_columns(reader: TableReader, name: str, text: str) -> None:
    """Raises TableError where the table has no column `text`."""
    if reader.columns is not None and column_of(text, reader.columns) is None:
        raise TableError(f"{name}: {no_column(text, reader.columns)}; give --text COLUMN")


class ReadTable(beam.DoFn):  # type: ignore[misc]
    """From a table's name to batches of its rows, and to what is set aside.

    The first output has RowBatches, REJECTED `{"line", "reason"}`.
    """

    def __init__(self, text: str, *, names_files: bool) -> None:
        """`text` is the column. `names_files`: what is set aside says which file it is from."""
        self._text = text
        self._names_files = names_files

    def process(self, name: str) -> Iterator[Any]:
        batch = RowBatch()
        weight = rejected = rows = 0
        wanted = WantedColumns([self._text])
        with _on_disk(name) as table, TableReader(table) as reader:
            check_columns(reader, name, self._text)
            for rows, row in enumerate(reader, 1):  # noqa: B007
                named = {} if row.fields is None else wanted.apply(row.fields)
                problem = row.problem or self._problem(named, row.fields or {})
                if problem is not None or row.fields is None:
                    rejected += 1
                    place = {"file": name} if self._names_files else {}
                    reason = {**place, "line": row.line, "reason": problem}
                    yield beam.pvalue.TaggedOutput(REJECTED, reason)
                    continue
                example = RowExample(row.fields, named[self._text])
                if batch and weight + text_weight(example) > BATCH_WEIGHT:
                    yield batch
                    batch, weight = RowBatch(), 0
                batch.append(example)
                weight += text_weight(example)
        if batch:
            yield batch
        Metrics.counter(METRICS, "rows").inc(rows - rejected)
        Metrics.counter(METRICS, "rejected").inc(rejected)

    def _problem(self, named: Fields, fields: Fields) -> str | None:
        """Why a row cannot be scored; `named` are its fields with the text under its name."""
        return text_problem(named, self._text) or name_problem(fields, [*JSON_FIELDS])


@contextmanager
def _on_disk(name: str) -> Iterator[TableLocation]:
    """A table that the reader can open; a file of another file system is copied meanwhile."""
    location = table_location(name)
    if isinstance(location, RemoteTable) or is_local(name):
        yield location
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name.rpartition("/")[2]
        # As it is: the reader unpacks .gz by itself.
        with (
            FileSystems.open(name, compression_type=CompressionTypes.UNCOMPRESSED) as source,
            copy.open("wb") as file,
        ):
            shutil.copyfileobj(source, file)
        try:
            yield copy
        except TableError as error:
            raise TableError(str(error).replace(str(copy), name)) from None
