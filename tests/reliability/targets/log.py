"""A log of any bytes: nothing but a SourceError ends its reading, and every entry is counted."""

from __future__ import annotations

import json
from io import BufferedReader, BytesIO

from profiling.logs.source import SourceError, Window, gather, read_stream
from profiling.logs.summary import by_revision
from tests.profiling.logs.lines import line
from tests.reliability.mutation import Target

LINES = [
    line(3.0),
    line(40.0, at_s=1, cold=True, spans={"load": (0.5, 30.0)}),
    line(2.0, at_s=2, status=400),
    {"severity": "ERROR", "message": "Traceback\nof something", "time": "2026-11-20T08:00:03Z"},
]
ENTRIES = [
    {
        "jsonPayload": {"message": entry["message"], "profile": entry.get("profile")},
        "severity": entry["severity"],
        "timestamp": entry["time"],
        "resource": {"labels": {"revision_name": "polyhead-00001"}},
        "trace": "projects/p/traces/0af7651916cd43dd8448eb211c80319c",
    }
    for entry in LINES
]
OWN = "".join(json.dumps(entry) + "\n" for entry in LINES).encode()
SEEDS = (
    OWN,
    json.dumps(ENTRIES, indent=2).encode(),
    json.dumps(ENTRIES).encode(),
    "".join(json.dumps(entry, indent=2) + "\n" for entry in ENTRIES).encode(),
    b"starting\n" + OWN + b"Killed\n",
    b"\xef\xbb\xbf" + json.dumps(ENTRIES, indent=2).encode(),
    b"".join(b"2026-11-20T08:00:00Z stdout F " + row for row in OWN.splitlines(True)),
    b"".join(
        json.dumps({"log": row.decode(), "stream": "stdout"}).encode() + b"\n"
        for row in OWN.splitlines(True)
    ),
    b"---\njsonPayload:\n  message: POST / 200\n",
)
TOKENS = (
    b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"-Infinity", b"9" * 400, b"[", b"]", b"{",
    b"}", b"[]", b"{}", b'""', b'"\\ud800"', b'"x"', b"\n", b"\r\n", b"\xff", b"\x00",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b'"2026-11-20"', b'"0001-01-01T00:00:00+23:59"',
    b'"9999-12-31T23:59:59-23:59"', b'"profile"', b'"spans"', b'"jsonPayload"', b'"severity"',
    b'"ERROR"', b'"message"', b'"resource"', b'"labels"', b'"time"', b'"instance"',
)  # fmt: skip


def check(data: bytes) -> str:
    """`data`: a log file."""
    try:
        log = gather(read_stream(BufferedReader(BytesIO(data))), Window())
        by_revision(log)
    except SourceError:
        return "refused"
    if len(log.requests):
        return "requests"
    if log.failures:
        return "failures"
    return "another version" if log.other_version else "nothing"


TARGET = Target("log", "profiling/logs/source.py", SEEDS, TOKENS, check)
