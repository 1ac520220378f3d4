"""Log entries of a file or pipe, sorted into requests and failures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from profiling.logs.entry import Failure, Record, read_entry


class SourceError(Exception):
    """Nothing can be read; the message says what to do."""


@dataclass(frozen=True)
class Window:
    """Which entries are read: from `since` until before `until`, of these revisions; unset: all."""

    since: datetime | None = None
    until: datetime | None = None
    revisions: tuple[str, ...] = ()

    def holds(self, entry: Record | Failure) -> bool:
        time = entry.time
        return (
            (not self.revisions or entry.revision in self.revisions)
            and (self.since is None or (time is not None and self.since <= time))
            and (self.until is None or (time is not None and time < self.until))
        )


@dataclass
class Log:
    """What was read."""

    records: list[Record] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: int = 0
    """Entries that are neither a request's nor an error."""


def gather(entries: Iterable[Any], window: Window) -> Log:
    """Sort entries into requests and failures, oldest first; those outside the window are left."""
    log = Log()
    for entry in entries:
        event = read_entry(entry) if isinstance(entry, dict) else None
        if event is None:
            log.skipped += 1
        elif not window.holds(event):
            continue
        elif isinstance(event, Record):
            log.records.append(event)
        else:
            log.failures.append(event)
    if all(record.time for record in log.records):
        log.records.sort(key=lambda record: record.time.timestamp() if record.time else 0.0)
    return log


def read_file(path: Path) -> Iterator[Any]:
    """Entries of a file, or of standard input for `-`; raises SourceError.

    One JSON object per line, whatever stands between them; or one JSON list, as gcloud prints it.
    """
    try:
        with nullcontext(sys.stdin) if str(path) == "-" else path.open(encoding="utf-8") as stream:
            yield from _entries(stream)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SourceError(f"{path}: {reason}; give a file of log lines, or - for a pipe") from None


def _entries(stream: TextIO) -> Iterator[Any]:
    first = next((line for line in stream if line.strip()), "")
    if first.strip() == "[" or first.startswith("[{"):
        try:
            yield from json.loads(first + stream.read())
        except json.JSONDecodeError as error:
            message = f"the JSON list breaks off at line {error.lineno} ({error.msg}); read it anew"
            raise SourceError(message) from None
        return
    yield _object(first)
    for line in stream:
        if line.strip():
            yield _object(line)


def _object(line: str) -> Any:
    """The value of one line; None for a line of other text."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
