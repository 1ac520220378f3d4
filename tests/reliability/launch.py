"""The real command as a process of its own, watched until the moment of a fault."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

from tests.reliability.disk import Disk
from tests.reliability.faults import FULL, Fault, Moment

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 1200.0
POLL_S = 0.0002
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass
class Ended:
    """How a command ended, and what it had said."""

    status: int
    lines: list[str]
    errors: str
    struck: bool
    """Whether the fault came before the end."""
    half_written: list[str] = field(default_factory=list)


class Launch:
    """A command that runs below `disk.folder`, where its temporary files are as well."""

    def __init__(self, arguments: list[str], disk: Disk) -> None:
        self._disk = disk
        self._errors = (disk.folder.parent / "errors.txt").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "training", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **ONE_THREAD, "TMPDIR": str(disk.folder)},
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.append(line.rstrip("\n"))
            self._arrived.put(line)

    def end(self, fault: Fault | None = None) -> Ended:
        """Let it run to its end, or to that of a fault."""
        try:
            struck = fault is not None and self._comes(fault.moment)
            if fault is not None and struck:
                self._strike(fault)
            status = self._process.wait(LONGEST_S)
        finally:
            self._kill()
            self._reader.join()
        self._errors.seek(0)
        errors = self._errors.read()
        self._errors.close()
        return Ended(status, self._lines, errors, struck and status != 0)

    def _strike(self, fault: Fault) -> None:
        if fault.kind == FULL:
            self._disk.leave(fault.room)
        else:
            time.sleep(fault.after_s)
            self._kill()

    def _kill(self) -> None:
        """SIGKILL to the process and to all that it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _comes(self, moment: Moment) -> bool:
        """Wait for the moment; False when the command ends before."""
        before = matches(self._disk.folder, moment)
        heard = not moment.line
        give_up_s = time.monotonic() + LONGEST_S
        while self._process.poll() is None:
            assert time.monotonic() < give_up_s, f"{moment.what} never came"
            if not heard:
                heard = self._next_line().startswith(moment.line)
            elif not moment.name or matches(self._disk.folder, moment) - before:
                return True
            else:
                time.sleep(POLL_S)
        return False

    def _next_line(self) -> str:
        try:
            return self._arrived.get(timeout=0.1)
        except queue.Empty:
            return ""


def matches(root: Path, moment: Moment) -> set[tuple[str, int]]:
    """(name, inode) of the paths of a moment that are there."""
    if not moment.name:
        return set()
    try:
        with os.scandir(root / moment.folder) as entries:
            return {
                (entry.name, entry.inode()) for entry in entries if fnmatch(entry.name, moment.name)
            }
    except FileNotFoundError:
        return set()
