"""The rows of a recipe's files under the names that the recipe uses, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tables.columns import WantedColumns
from tables.reader import TableError, TableReader, TableRow
from tables.remote_table import TableLocation
from training.recipe import Recipe


class DataError(ValueError):
    """The data cannot be used; the message names files and lines and says how to mend them."""


class DataFileRows:
    """The rows of one file, at least one; what it is about is known once they are read."""

    def __init__(self, path: TableLocation, wanted: Iterable[str]) -> None:
        """`wanted`: names of columns that may be spelt in another case or with more spaces."""
        self.path = path
        self._wanted = WantedColumns(wanted)
        self.columns: dict[str, None] = {}
        """Of all rows so far, under the wanted names, in the order of the file."""
        self.notes: list[str] = []
        """How the file is read, where a person might want to know."""

    def __iter__(self) -> Iterator[TableRow]:
        """The rows; raises DataError when the file is no table or has none."""
        is_empty = True
        try:
            with TableReader(self.path) as reader:
                self._note_columns(self._wanted.apply(dict.fromkeys(reader.columns or ())))
                for row in reader:
                    is_empty = False
                    yield self._under_wanted_names(row)
                self.notes += reader.notes
        except TableError as error:
            raise DataError(str(error)) from None
        if is_empty:
            raise DataError(f"{self.path}: empty; give a file with rows")
        self.notes += [f"{self.path}: {note}" for note in self._wanted.notes]

    def _under_wanted_names(self, row: TableRow) -> TableRow:
        if row.fields is None:
            return row
        fields = self._wanted.apply(row.fields)
        self._note_columns(fields)
        return row if fields is row.fields else replace(row, fields=fields)

    def _note_columns(self, columns: Iterable[str]) -> None:
        self.columns.update(dict.fromkeys(columns))


def recipe_columns(recipe: Recipe) -> list[str]:
    """The columns of `[data] files` that a recipe uses."""
    data = recipe.data
    names = [name for name in (data.text, data.split, data.group, data.slice) if name]
    return names + [name for task in recipe.tasks for name in task.label_columns]
