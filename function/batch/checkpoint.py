"""The progress of a batch on disk, so that the same command goes on where a killed one stopped.

OUT.partial           rows scored so far (of Parquet as JSON lines); becomes OUT at the end
OUT.rejected.jsonl    rows set aside, with line number and reason
OUT.progress.json     how much of both counts, and what they were made from
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from model.aside import file_aside, read_json
from tables.reader import files_of
from tables.remote_table import RemoteTable, TableLocation

HEAD_BYTES = 2**16


@dataclass
class Position:
    """What is safely on disk. Anything past these sizes was written by a run that was killed."""

    rows: int = 0
    """Rows of the input dealt with, rejected ones included."""
    rejected: int = 0
    truncated: int = 0
    """Rows whose text was cut; 0 of a run that did not count them."""
    output_bytes: int = 0
    rejected_bytes: int = 0
    columns: list[str] | None = None
    """Columns of a CSV or Parquet output; None before its first row, and for JSONL."""


def fingerprint(source: TableLocation) -> dict[str, object]:
    """What tells whether the input is still the same: size, time, and a file's first bytes."""
    if isinstance(source, RemoteTable):
        return {"input_address": source.address, "input_version": source.version()}
    facts = source.stat()
    first, *_ = files_of(source)
    with first.open("rb") as file:
        head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    return {"input_bytes": facts.st_size, "input_mtime_ns": facts.st_mtime_ns, "input_head": head}


class Checkpoint:
    """The files of one batch under way. Only one process may hold it."""

    def __init__(self, target: Path, made_from: dict[str, object], *, force: bool) -> None:
        """Open the files, going on from an earlier run's if there are any.

        `made_from` is JSON that says what the rows depend on. An earlier run's files that were
        made from anything else are dropped with `force`, else raise ValueError; so does another
        process that holds the files.
        """
        self._target = target
        self._record = target.with_name(f"{target.name}.progress.json")
        self._partial = target.with_name(f"{target.name}.partial")
        self._rejected_path = target.with_name(f"{target.name}.rejected.jsonl")
        self._made_from = made_from
        self._output = self._partial.open("ab")
        try:
            fcntl.flock(self._output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._output.close()
            raise ValueError(f"{self._partial}: another batch is writing it; let it end") from None
        self.position = self._earlier_position(force)
        self._rejected = self._rejected_path.open("ab")
        if (
            self._partial.stat().st_size < self.position.output_bytes
            or self._rejected_path.stat().st_size < self.position.rejected_bytes
        ):  # less than was recorded: the files are not those of that run
            self.position = Position()
        self._output.truncate(self.position.output_bytes)
        self._rejected.truncate(self.position.rejected_bytes)

    def save(
        self, output: bytes, rejected: bytes, rows: int, rejections: int, truncated: int
    ) -> None:
        """Append to both files, then record that it counts; each step is on disk before the next.

        `rows`, `rejections` and `truncated` are those of this step.
        """
        _append(self._output, output)
        _append(self._rejected, rejected)
        self.position.rows += rows
        self.position.rejected += rejections
        self.position.truncated += truncated
        self.position.output_bytes += len(output)
        self.position.rejected_bytes += len(rejected)
        with file_aside(self._record) as aside, aside.open("w", encoding="utf-8") as file:
            json.dump({"made_from": self._made_from, "position": asdict(self.position)}, file)
            file.flush()
            os.fsync(file.fileno())

    def finish(self, convert: Callable[[Path, Path], None] | None = None) -> None:
        """Move the rows to their final name, and remove the other files.

        `convert` writes the rows in the first file to the second, in a format that cannot grow.
        """
        self.close()
        if convert is not None:
            with file_aside(self._target) as aside:
                convert(self._partial, aside)
            self._partial.unlink()
        else:
            self._partial.replace(self._target)
        self._record.unlink(missing_ok=True)
        if not self.position.rejected:
            self._rejected_path.unlink()

    def close(self) -> None:
        self._output.close()
        self._rejected.close()

    def _earlier_position(self, force: bool) -> Position:
        record = read_json(self._record)
        if record is None:
            return Position()
        earlier = record["made_from"]
        changed = [key for key, value in self._made_from.items() if earlier.get(key) != value]
        if not changed:
            return Position(**record["position"])
        if force:
            return Position()
        self._output.close()
        raise ValueError(
            f"{self._partial}: made with another {', '.join(changed)}; "
            "run it as before to go on, or give --force to start over"
        )


def _append(file: BinaryIO, data: bytes) -> None:
    if data:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
