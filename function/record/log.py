"""What a log line holds, as Cloud Logging reads it.

https://cloud.google.com/logging/docs/structured-logging names the fields. Nothing that a user
sent may be logged: neither a text nor anything that quotes one.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from functools import cache
from pathlib import Path

from profiling.timer import startup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from function.record.trace_context import Trace

STATM = Path("/proc/self/statm")


def now() -> str:
    """The time as RFC 3339 has it, which Cloud Logging takes as the entry's timestamp."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    to_seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{to_seconds}.{nanoseconds // 1000:06d}+00:00"


def trace_fields(trace: Trace | None, project: str | None) -> dict[str, str]:
    """The fields that tie a line to its trace; none when the trace or the project is unknown."""
    if trace is None or project is None:
        return {}
    fields = {"logging.googleapis.com/trace": f"projects/{project}/traces/{trace.trace_id}"}
    if trace.span_id is not None:
        fields["logging.googleapis.com/spanId"] = trace.span_id
    return fields


def stack_trace(error: BaseException) -> str:
    """Where an exception came from, as a traceback without the messages of exceptions.

    A message is written by any library and may quote the text that broke it; frames hold only
    our source lines. A cause or context is printed first, as Python does.
    """
    import traceback

    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    text = f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}"
    return text if earlier is None else f"{stack_trace(earlier)}\n\n{text}"


def rss_mb() -> float:
    """Resident memory of this process in MiB: now where /proc has it, else at its highest."""
    try:
        pages = int(os.pread(_statm(os.getpid()), 64, 0).split()[1])
    except OSError:
        import resource

        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1 if sys.platform == "darwin" else 1024
        return round(highest * unit / 2**20, 1)
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


@cache
def _statm(_pid: int) -> int:
    """The open file of this process, which a fork must not inherit; raises OSError."""
    return os.open(STATM, os.O_RDONLY)


class Instance:
    """This process. Made before the server forks, so its id carries the worker's number."""

    def __init__(self) -> None:
        self._server = os.urandom(4).hex()
        self._requests = itertools.count(1)

    def describe(self) -> dict[str, str | float]:
        """The instance in a log line; each call counts as one request."""
        described: dict[str, str | float] = {
            "id": f"{self._server}-{os.getpid()}",
            "age_s": round(startup.elapsed_ms / 1000, 3),
            "requests": next(self._requests),
        }
        if startup.is_restart:
            described["restart"] = True
        return described
