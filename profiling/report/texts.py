"""Which texts are replayed? The test rows of the data that the bundle was trained on.

`--data` names their file. Without it they are looked for where training left them, in
`BUNDLE.work/replay.jsonl`, then in `training/ingredients/NAME.jsonl.gz` of this repository.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.bundle import Bundle, Task
from model.encoding import is_blank
from profiling.server import ROOT
from tables.labels import LabelError, parse_labels
from tables.reader import Fields, TableReader

REPLAY = "replay.jsonl"
MAX_TEXTS = 20_000


class TextsError(ValueError):
    """There is nothing to replay, or a row is wrong; the message says what to give."""


@dataclass(frozen=True)
class Example:
    """A text and its true labels for each task that it is labelled for."""

    text: str
    labels: dict[str, frozenset[str]]


def find_data(bundle: Bundle) -> Path:
    """The file to replay when none is named; raises TextsError."""
    path = bundle.path.resolve()
    places = (
        path.with_name(f"{path.name}.work") / REPLAY,
        ROOT / "training" / "ingredients" / f"{bundle.name}.jsonl.gz",
    )
    for place in places:
        if place.is_file():
            return place
    raise TextsError(
        f"no texts to replay in {' or '.join(map(str, places))}; give some with --data FILE"
    )


def read_examples(bundle: Bundle, path: Path, column: str) -> list[Example]:
    """The rows of the test split, or all rows when none names a split; shuffled, always alike.

    Rows without a text in `column` and rows that cannot be read are left out. Raises TableError
    for a file that is no table, and TextsError for labels that no task takes and for no rows.
    """
    with TableReader(path) as reader:
        rows = [(row.line, row.fields) for row in reader if row.fields is not None]
    has_splits = any(fields.get("split") for _, fields in rows)
    examples = [
        Example(fields[column], _labels(fields, bundle.tasks, f"{path}:{line}"))
        for line, fields in rows
        if (fields.get("split") == "test" or not has_splits)
        and isinstance(fields.get(column), str)
        and not is_blank(fields[column])
    ]
    if not examples:
        part = "rows of the test split" if has_splits else "rows"
        raise TextsError(f"{path}: no {part} with a text in {column!r}; give --text COLUMN")
    random.Random(1).shuffle(examples)
    return examples[:MAX_TEXTS]


def digest(values: Sequence[Any]) -> str:
    """Hex digits that are the same for the same values in the same order."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


def _labels(fields: Fields, tasks: tuple[Task, ...], place: str) -> dict[str, frozenset[str]]:
    """The labels of each task that the row is labelled for; raises TextsError."""
    labels = {}
    for task in tasks:
        try:
            task_labels = parse_labels(fields.get(task.name), task.kind)
        except LabelError as error:
            raise TextsError(f"{place}: column {task.name!r} has {error}") from None
        if task_labels is not None:
            labels[task.name] = task_labels
    return labels
