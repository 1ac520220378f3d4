"""Rows of a Parquet file, read and written by pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tables.arrow_values import class_names_of_schema, rows_of_batch
from tables.optional import optional_module
from tables.row import Fields, TableError, TableRow

READ_ROWS = 256
"""Rows in memory at a time."""
WRITE_ROWS = 4096
NO_SUCH_VALUE = (ValueError, TypeError, OverflowError)
"""What pyarrow raises for values that do not fit a type, and for types that do not meet."""


class ParquetRows:
    """The rows of one file; a row's line is its number."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises OSError, and TableError without the file's name."""
        parquet = optional_module("pyarrow.parquet")
        path.open("rb").close()  # an OSError with the words of all formats
        try:
            self._file = parquet.ParquetFile(path)
        except ValueError as error:
            raise TableError(f"not a whole Parquet file ({error}); make it anew") from None
        schema = self._file.schema_arrow
        self.columns: list[str] | None = list(schema.names)
        self._class_names = class_names_of_schema(schema.metadata)
        self._size = path.stat().st_size
        self.rows: int = self._file.metadata.num_rows
        self._line = 0
        self.notes = [f"numbers in column {name!r} are read as names" for name in self._class_names]
        self.empty_rows = 0

    @property
    def read_bytes(self) -> int:
        return int(self._size * self._line / max(1, self.rows))

    def __iter__(self) -> Iterator[TableRow]:
        try:
            for batch in self._file.iter_batches(READ_ROWS):
                for fields in rows_of_batch(batch, self._class_names):
                    self._line += 1
                    if fields is None:
                        self.empty_rows += 1
                    else:
                        yield TableRow(self._line, fields)
        except (ValueError, OSError) as error:  # what pyarrow raises for damaged pages
            raise TableError(f"after row {self._line}: {error}; make the file anew") from None

    def close(self) -> None:
        self._file.close()


def write_parquet(lines: Path, target: Path, columns: list[str]) -> None:
    """Rows that are JSON objects, one per line, as a Parquet file; memory holds some of them.

    `columns` come first, whether rows have them or not. A column whose values have no common
    type holds text.
    """
    arrow, parquet = optional_module("pyarrow"), optional_module("pyarrow.parquet")
    types = _column_types(arrow, lines, columns)
    schema = arrow.schema([(name, kind or arrow.string()) for name, kind in types.items()])
    with parquet.ParquetWriter(target, schema) as writer:
        for rows in _chunks(lines):
            arrays = [_column(arrow, rows, name, kind) for name, kind in types.items()]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))


def _column_types(arrow: Any, lines: Path, columns: list[str]) -> dict[str, Any]:
    """{column: its Arrow type}; None: there is no common one."""
    types: dict[str, Any] = dict.fromkeys(columns, arrow.null())
    for rows in _chunks(lines):
        names = {name: None for row in rows for name in row}
        for name in names:
            known = types.get(name, arrow.null())
            types[name] = known and _common_type(arrow, known, [row.get(name) for row in rows])
    for rows in _chunks(lines):  # whole numbers may be too large for the floats of other rows
        for name, kind in types.items():
            try:
                _column(arrow, rows, name, kind)
            except NO_SUCH_VALUE:
                types[name] = None
    return types


def _column(arrow: Any, rows: list[Fields], name: str, kind: Any) -> Any:
    """The values of one column; `kind` None: as text."""
    values = [row.get(name) for row in rows]
    return arrow.array(values, kind) if kind else arrow.array(map(_as_text, values), arrow.string())


def _common_type(arrow: Any, known: Any, values: list[Any]) -> Any:
    """The Arrow type of both; None: there is none that Parquet has."""
    try:
        both = [arrow.schema([("", kind)]) for kind in (known, arrow.array(values).type)]
        common = arrow.unify_schemas(both, promote_options="permissive").types[0]
    except NO_SUCH_VALUE:
        return None
    return None if _has_empty_struct(arrow, common) else common


def _has_empty_struct(arrow: Any, kind: Any) -> bool:
    """Whether objects without fields, which Parquet cannot hold, are anywhere in a type."""
    parts = [kind.field(place).type for place in range(kind.num_fields)]
    if not parts:
        return bool(arrow.types.is_struct(kind))
    return any(_has_empty_struct(arrow, part) for part in parts)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _chunks(lines: Path) -> Iterator[list[Fields]]:
    with lines.open("rb") as file:
        while chunk := list(islice(file, WRITE_ROWS)):
            yield [_without_halves(json.loads(line)) for line in chunk]


def _without_halves(value: Any) -> Any:
    """The value with halves of surrogate pairs, which Arrow cannot hold, as question marks."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case list():
            return [_without_halves(item) for item in value]
        case dict():
            return {key: _without_halves(item) for key, item in value.items()}
    return value
