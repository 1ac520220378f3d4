"""Which texts does [pretrain] learn from? Those of its files, without what is held out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from training.recipe import TextFile
from training.rows.data_files import DataError, DataFileRows
from training.rows.splits import group_key, normalise
from training.rows.table import Table, text_of


def read_texts(files: tuple[TextFile, ...], table: Table) -> list[str]:
    """The texts of all files, each once, without those of the validation and test splits.

    Raises DataError for a file that cannot be read or adds no text.
    """
    held_out = {group_key(row.text) for row in table.rows if row.split not in (None, "train")}
    texts: dict[str, str] = {}
    for file in files:
        before = len(texts)
        for text in _texts(file):
            key = normalise(text)
            if key and group_key(text) not in held_out:
                texts.setdefault(key, text)
        if len(texts) == before:
            raise DataError(f"{file.path}: no text that is not held out or in a file before it")
    return list(texts.values())


def _texts(file: TextFile) -> Iterator[str]:
    if isinstance(file.path, Path) and file.path.suffix == ".txt":
        try:
            yield from file.path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise DataError(f"{file.path}: {error.strerror}; give the path of a file") from None
        except UnicodeDecodeError:
            raise DataError(f"{file.path}: not UTF-8; save it as UTF-8") from None
        return
    for row in DataFileRows(file.path, [file.text]):
        place = f"{file.path}:{row.line}"
        if row.fields is None:
            raise DataError(f"{place}: {row.problem}")
        try:
            yield text_of(row.fields, file.text)
        except DataError as error:
            example = f'{{path = "{file.path.name}", text = "..."}}'
            raise DataError(f"{place}: {error}, in the column that {example} names") from None
