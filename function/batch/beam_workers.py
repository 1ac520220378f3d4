"""Worker processes of Beam on this machine: one that ends early ends the run, in one line."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import psutil

AGAIN = "nothing was written that looks whole; run the same command again"
WORKER_ENDED, CLOSED = "Worker subprocess exited", "Channel closed prematurely"
"""What Beam raises in the thread that waits for a worker, and in the one that talks to it."""
READERS = ("beam_control_read", "read_grpc_client_inputs")
"""Beam's threads that read what workers send; they fail when one ends."""
STANDARD_ERROR = 2


@contextmanager
def ending_with_its_workers() -> Iterator[None]:
    """Ends this process when a worker process is killed, for which Beam may wait for ever."""
    before = threading.excepthook
    speaker = threading.Lock()
    """Held by the thread that tells why the run ends: several see it."""

    def end(failure: threading.ExceptHookArgs) -> None:
        if str(failure.exc_value).startswith(WORKER_ENDED):
            if not speaker.acquire(blocking=False):
                return
            print(f"error: {failure.exc_value}; {AGAIN}", file=sys.stderr, flush=True)
            _kill_workers()
            os._exit(1)
        if failure.thread is None or failure.thread.name not in READERS:
            before(failure)

    threading.excepthook = end
    try:
        yield
    except BaseException:
        speaker.acquire()
        threading.excepthook = lambda failure: None  # of threads that end with the workers
        _kill_workers()
        raise
    threading.excepthook = before


@contextmanager
def speaking_alone() -> Iterator[None]:
    """Standard error is this process's alone, and what worker processes write there is lost.

    Their errors are raised here, too; where one is killed, the others write pages about it.
    """
    with os.fdopen(os.dup(STANDARD_ERROR), "w", buffering=1) as own, redirect_stderr(own):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STANDARD_ERROR)
        os.close(nowhere)
        try:
            yield
        finally:
            os.dup2(own.fileno(), STANDARD_ERROR)


def _kill_workers() -> None:
    for process in psutil.Process().children(recursive=True):
        process.kill()
