"""Which column is meant? One whose name differs in case and spaces alone will do, and is told."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from tables.normal_form import normalise
from tables.row import Fields

SHOWN_COLUMNS = 20


def column_of(name: str, columns: Collection[str]) -> str | None:
    """The column of this name, else the only one like it but for case, width and spaces."""
    if name in columns:
        return name
    alike = [column for column in columns if normalise(column) == normalise(name)]
    return alike[0] if len(alike) == 1 else None


def no_column(name: str, columns: Collection[str]) -> str:
    """What to say where there is no column of this name."""
    there = [repr(column) for column in columns]
    more = f" and {len(there) - SHOWN_COLUMNS} more" if len(there) > SHOWN_COLUMNS else ""
    nearest = nearest_column(name, columns)
    near = f"; did you mean {nearest!r}?" if nearest is not None else ""
    return f"no column {name!r} among {', '.join(there[:SHOWN_COLUMNS])}{more}{near}"


def nearest_column(name: str, columns: Collection[str]) -> str | None:
    """The column whose name is most like this one; None where none is like it."""
    by_form = {normalise(column): column for column in columns}
    nearest = difflib.get_close_matches(normalise(name), by_form, n=1)
    return by_form[nearest[0]] if nearest else None


class WantedColumns:
    """Gives the wanted names to the fields of one file's rows."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(dict.fromkeys(names))
        self._renamings: dict[tuple[str, ...], Mapping[str, str]] = {}
        self.renamed: dict[str, str] = {}
        """{column of the file: the wanted name that it was read as}."""

    @property
    def notes(self) -> list[str]:
        return [f"column {column!r} is read as {name!r}" for column, name in self.renamed.items()]

    def apply(self, fields: Fields) -> Fields:
        """The fields under the wanted names."""
        columns = tuple(fields)
        renaming = self._renamings.get(columns)
        if renaming is None:
            renaming = self._renamings[columns] = self._renaming(columns)
            self.renamed.update(renaming)
        if not renaming:
            return fields
        return {renaming.get(column, column): value for column, value in fields.items()}

    def _renaming(self, columns: tuple[str, ...]) -> Mapping[str, str]:
        matches = {name: column_of(name, columns) for name in self._names}
        return {
            column: name
            for name, column in matches.items()
            if column is not None and column != name and column not in self._names
        }
