"""Log entries of a file or pipe, sorted into requests and failures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

from profiling.logs.entry import Failure, OtherVersion, Record, read_entry
from profiling.logs.json_stream import JsonStream
from profiling.logs.request_table import MOST_REVISIONS, Names, RequestTable
from profiling.logs.selection import Requests
from profiling.logs.slowest import Slowest
from profiling.logs.wrappings import unwrapped

YAML_KEY = re.compile(r"(insertId|jsonPayload|logName|receiveTimestamp|textPayload)\b")
"""How lines of a LogEntry begin, as gcloud prints it unless it is told otherwise."""
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""Of UTF-16, in which PowerShell writes files."""
MOST_FAILURES = 10_000
"""Failures that are told apart by message and revision."""
Value = TypeVar("Value")


class SourceError(Exception):
    """Nothing can be read; the message says what to do."""


@dataclass(frozen=True)
class Window:
    """Which entries are read: from `since` until before `until`, of these revisions; unset: all."""

    since: datetime | None = None
    until: datetime | None = None
    revisions: tuple[str, ...] = ()

    def holds(self, entry: Record | Failure | OtherVersion) -> bool:
        time = entry.time
        return (
            (not self.revisions or entry.revision in self.revisions)
            and (self.since is None or (time is not None and self.since <= time))
            and (self.until is None or (time is not None and time < self.until))
        )


@dataclass(frozen=True)
class Log:
    """What was read."""

    requests: Requests
    slowest: Slowest
    failures: Counter[tuple[str, str]]
    """How often, by revision and message."""
    other_version: int
    """Lines of requests that another version of the function wrote, or that are damaged."""
    skipped: int
    """Entries that are neither a request's nor an error."""


def gather(entries: Iterable[Any], window: Window) -> Log:
    """Sort entries into requests and failures; those outside the window are left."""
    table, slowest = RequestTable(), Slowest()
    failures: Counter[tuple[str, str]] = Counter()
    failed_revisions = Names(MOST_REVISIONS, "other revisions")
    other_version = skipped = 0
    for entry in entries:
        event = read_entry(entry) if isinstance(entry, dict) else None
        if event is None:
            skipped += 1
        elif not window.holds(event):
            continue
        elif isinstance(event, Record):
            slowest.add(table.add(event), event)
        elif isinstance(event, OtherVersion):
            other_version += 1
        else:
            key = failed_revisions.shared(event.revision), event.message
            is_one_more = key not in failures and len(failures) >= MOST_FAILURES
            failures[(key[0], "other messages") if is_one_more else key] += 1
    return Log(table.requests(), slowest, failures, other_version, skipped)


def read_file(path: Path) -> Iterator[dict[str, Any] | None]:
    """Entries of a file, or of standard input for `-`; raises SourceError."""
    is_pipe = str(path) == "-"
    try:
        with open(0 if is_pipe else path, "rb", closefd=not is_pipe) as stream:
            yield from read_stream(stream)
    except OSError as error:
        message = f"{path}: {error.strerror}; give a file of log lines, or - for a pipe"
        raise SourceError(message) from None


def read_stream(stream: BufferedReader) -> Iterator[dict[str, Any] | None]:
    """Entries, and None for other text between them; closes it. Raises OSError, SourceError.

    They are JSON objects, one a line or over several lines, or in a list, as gcloud prints it;
    bare, or as docker, CRI and journald wrap them. Bytes that are no text cost only themselves.
    """
    encoding = "utf-16" if stream.peek(2).startswith(BYTE_ORDER_MARKS) else "utf-8"
    with TextIOWrapper(stream, encoding, errors="replace") as text:
        values = JsonStream(text)
        yield from unwrapped(_unless_yaml(values))
    if values.cut_line is not None:
        raise SourceError(f"the JSON list breaks off at line {values.cut_line}; read it anew")


def _unless_yaml(values: Iterable[Value]) -> Iterator[Value]:
    """The values of a stream; raises SourceError after the last where they are gcloud's YAML."""
    keys, is_yaml = set(), True
    for value in values:
        if not isinstance(value, str):
            is_yaml = False
        elif is_yaml and (key := YAML_KEY.match(value)):
            keys.add(key[1])
        yield value
    if is_yaml and len(keys) > 1:
        raise SourceError(
            "these are log entries in YAML; add --format=json to `gcloud logging read`"
        )
