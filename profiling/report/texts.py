"""Which texts are replayed? The test rows of the data that the bundle was trained on.

`--data` says where they are. Without it they are looked for where training left them, in
`BUNDLE.work/replay.jsonl`, then in `training/ingredients/NAME.jsonl.gz` of this repository.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from model.bundle import Bundle, Task
from tables.labels import parse_labels
from tables.reader import TableReader

ROOT = Path(__file__).resolve().parents[2]
REPLAY = "replay.jsonl"
MOST_TEXTS = 20_000


class TextsError(ValueError):
    """There is nothing to replay; the message says what to give."""


@dataclass(frozen=True)
class Example:
    """A text and what is right for each task it is labelled for."""

    text: str
    truth: dict[str, frozenset[str]]


def find_data(bundle: Bundle, data: Path | None) -> Path:
    """The file to replay; raises TextsError."""
    if data is not None:
        if not data.is_file():
            raise TextsError(f"{data}: no such file; give a .jsonl, .jsonl.gz or .csv file")
        return data
    path = bundle.path.resolve()
    places = (
        path.with_name(f"{path.name}.work") / REPLAY,
        ROOT / "training" / "ingredients" / f"{bundle.name}.jsonl.gz",
    )
    for place in places:
        if place.is_file():
            return place
    looked = " or ".join(map(str, places))
    raise TextsError(f"no texts to replay in {looked}; give some with --data FILE")


def read_examples(bundle: Bundle, path: Path, text: str) -> list[Example]:
    """The rows of the test split, or all rows when none names a split; shuffled, always alike."""
    reader = TableReader(path)
    try:
        rows = [row.fields for row in reader if row.fields is not None]
    finally:
        reader.close()
    test = [row for row in rows if row.get("split") == "test"]
    kept = test if any(row.get("split") for row in rows) else rows
    examples = [
        Example(row[text], _truth(row, bundle.tasks))
        for row in kept
        if isinstance(row.get(text), str) and row[text].strip()
    ]
    if not examples:
        part = "rows of the test split" if len(test) != len(rows) else "rows"
        raise TextsError(f"{path}: no {part} with a text in {text!r}; give --text COLUMN")
    random.Random(1).shuffle(examples)
    return examples[:MOST_TEXTS]


def _truth(row: dict[str, object], tasks: tuple[Task, ...]) -> dict[str, frozenset[str]]:
    """The labels of each task that the row is labelled for; raises LabelError."""
    found = {task.name: parse_labels(row.get(task.name), task.kind) for task in tasks}
    return {name: labels for name, labels in found.items() if labels is not None}
