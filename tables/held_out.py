"""What did a run answer to the rows that it held out? By hash of the row, never its text.

A bundle that is fitted to all rows cannot be judged by any of them; these answers are of the fit
that had not seen them. The record is a file beside the bundle, in `BUNDLE.report/`:

    {"format": 1, "bundle": "name@digest", "tasks": {"topic": {"3f0c9a51b2d4": ["billing"]}}}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tables.normal_form import normalise

RECORD = "held_out.json"
FORMAT = 1
DIGITS = 12  # of a hash in hex: 48 bits tell 100,000 rows apart with a chance of one in 50,000

Answers = Mapping[str, list[str]]
"""{row key: the labels that were answered}, of one task."""


@dataclass(frozen=True)
class HeldOut:
    """Of each task the answers to its held-out rows."""

    bundle: str
    """`name@digest` of the bundle that the run shipped."""
    tasks: Mapping[str, Answers]

    def answer(self, task: str, text: str, labels: Iterable[str]) -> list[str] | None:
        """What was answered to a row with these true labels; None: it was not held out."""
        return self.tasks.get(task, {}).get(row_key(text, labels))


def row_key(text: str, labels: Iterable[str]) -> str:
    """The hash of a row of one task: of its text in normal form, and of its true labels."""
    row = json.dumps([normalise(text), sorted(labels)], ensure_ascii=True)
    return hashlib.sha256(row.encode()).hexdigest()[:DIGITS]


def record_path(bundle: Path) -> Path:
    """Where the record of the bundle directory `bundle` is kept."""
    bundle = bundle.resolve()
    return bundle.with_name(f"{bundle.name}.report") / RECORD


def record_text(held_out: HeldOut) -> str:
    return json.dumps({"format": FORMAT, **asdict(held_out)}, separators=(",", ":")) + "\n"


def read_record(bundle: Path, identity: str) -> HeldOut | None:
    """The record beside `bundle`; None where there is none, or it is of another bundle.

    `identity`: `name@digest` of the bundle. Raises ValueError for a file that is no such record.
    """
    path = record_path(bundle)
    if not path.is_file():
        return None
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        version, record = fields["format"], HeldOut(fields["bundle"], fields["tasks"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: no record of held-out answers; copy it here again") from None
    if version != FORMAT:
        raise ValueError(f"{path}: format {version}; this version reads format {FORMAT}")
    return record if record.bundle.rpartition("@")[2] == identity.rpartition("@")[2] else None
