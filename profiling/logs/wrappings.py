"""What did a container's runtime, or journald, wrap around a log line?

    {"log": "LINE\\n", "stream": "stdout", "time": "..."}       docker's json-file
    2026-11-20T08:00:00.1Z stdout F LINE                        CRI: containerd, CRI-O, podman
    {"MESSAGE": "LINE", "__REALTIME_TIMESTAMP": "...", ...}     journalctl -o json
    Nov 20 08:00:00 host unit[1]: LINE                          journalctl, docker compose logs, ...

The first two cut a long line into pieces: all but the last lack the line's end, or have a P.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from profiling.logs.json_stream import DECODER, LONGEST

Entry = dict[str, Any]
STREAMS = ("stdout", "stderr")
CRI = re.compile(rf"\S+ ({'|'.join(STREAMS)}) ([FP])(?::\S*)? (.*)", re.DOTALL)


def unwrapped(values: Iterable[Entry | str]) -> Iterator[Entry | None]:
    """The entries that objects and lines of text hold; None for any other text."""
    pieces = Pieces()
    for value in values:
        if isinstance(value, str):
            cri = CRI.fullmatch(value)
            line = pieces.join(cri[1], cri[3], cri[2] == "F") if cri else value
        elif value.get("stream") in STREAMS and isinstance(value.get("log"), str):
            log: str = value["log"]
            line = pieces.join(value["stream"], log.removesuffix("\n"), log.endswith("\n"))
        elif "MESSAGE" in value and "__REALTIME_TIMESTAMP" in value:
            line = _journald_text(value["MESSAGE"])
        else:
            yield value
            continue
        if line is not None:
            yield object_at_end(line)
    yield from (object_at_end(line) for line in pieces.rest())


class Pieces:
    """Pieces of the line that each stream of a container is at."""

    def __init__(self) -> None:
        self._lines = {stream: StringIO() for stream in STREAMS}

    def join(self, stream: str, piece: str, is_last: bool) -> str | None:
        """The whole line with its last piece, None before; a line too long loses its beginning."""
        line = self._lines[stream]
        if line.tell() > LONGEST:
            line = self._lines[stream] = StringIO()
        line.write(piece)
        if not is_last:
            return None
        self._lines[stream] = StringIO()
        return line.getvalue()

    def rest(self) -> list[str]:
        """Lines whose last piece never came."""
        return [line.getvalue() for line in self._lines.values() if line.tell()]


def object_at_end(line: str) -> Entry | None:
    """The JSON object that a line is, or ends with; None if there is none."""
    start = line.find('{"')
    if start < 0:
        return None
    try:
        value, end = DECODER.raw_decode(line, start)
    except (json.JSONDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) and not line[end:].strip() else None


def _journald_text(message: object) -> str:
    """A field as journald writes it: a string, or the numbers of its bytes; else nothing."""
    if isinstance(message, str):
        return message
    if not isinstance(message, list):
        return ""
    try:
        return bytes(map(int, message)).decode("utf-8", "replace")
    except (TypeError, ValueError, OverflowError):
        return ""
