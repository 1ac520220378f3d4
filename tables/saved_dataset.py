"""Rows of a folder that `save_to_disk` of Hugging Face's `datasets` wrote, read by pyarrow.

One dataset has `dataset_info.json`, `state.json` and Arrow files; several, by split, are folders
beside `dataset_dict.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tables.arrow_values import class_names, rows_of_batch
from tables.optional import optional_module
from tables.row import TableError, TableRow

ONE, MANY, STATE = "dataset_info.json", "dataset_dict.json", "state.json"
SPLIT = "split"
SPLITS = ("train", "validation", "test")


def is_saved_dataset(path: Path) -> bool:
    return (path / ONE).is_file() or (path / MANY).is_file()


class SavedDatasetRows:
    """The rows of all parts of one folder, which have their part's name as `split`."""

    def __init__(self, path: Path) -> None:
        """Read what the folder holds; raises TableError without the folder's name."""
        self._ipc = optional_module("pyarrow.ipc")
        try:
            parts = _json(path / MANY)["splits"] if (path / MANY).is_file() else [None]
            self._parts = [_Part(path / part if part else path, part) for part in parts]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TableError(f"not a whole saved dataset ({error!r}); save it anew") from None
        names = dict.fromkeys(name for part in self._parts for name in part.columns)
        self.columns: list[str] | None = list(names)
        classes = dict.fromkeys(name for part in self._parts for name in part.class_names)
        self.notes = [f"numbers in column {name!r} are read as names" for name in classes]
        self.notes += [
            f"its part {part.name!r} is no split: its rows have none"
            for part in self._parts
            if part.name and part.name not in SPLITS
        ]
        self.empty_rows = 0
        self.read_bytes = 0

    def __iter__(self) -> Iterator[TableRow]:
        line = 0
        files = [(part, path) for part in self._parts for path in part.files]
        for part, path in files:
            try:
                with path.open("rb") as file, self._ipc.open_stream(file) as batches:
                    for batch in batches:
                        for fields in rows_of_batch(batch, part.class_names):
                            line += 1
                            if fields is None:
                                self.empty_rows += 1
                            else:
                                yield TableRow(line, {**part.fields, **fields})
            except (ValueError, OSError) as error:
                raise TableError(f"{path.name} after row {line}: {error}; save it anew") from None
            self.read_bytes += path.stat().st_size

    def close(self) -> None:
        """Nothing is open between two files."""


class _Part:
    """One dataset of the folder."""

    def __init__(self, folder: Path, name: str | None) -> None:
        state, features = _json(folder / STATE), _json(folder / ONE)["features"]
        self.name = name
        self.files = [folder / file["filename"] for file in state["_data_files"]]
        self.class_names = class_names(features)
        self.fields = {SPLIT: name if name in SPLITS else None} if name else {}
        self.columns = [*self.fields, *features]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
