"""The function as Cloud Run keeps it: started again when it is gone, its log read from a pipe."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from profiling import process_tree
from profiling.reliability.installation import start_command
from profiling.reliability.traffic import CANARY
from profiling.server import HOST, ServerError, free_port

WATCH_S = 0.01
STARTS_S = 30.0


class KeptInstance:
    """One running function. `stop` ends it; until then it is started again whenever it ends."""

    def __init__(self, installed: Path, complaints: Path) -> None:
        """Of the installation in a folder; its standard error goes into the file `complaints`."""
        self.port = free_port()
        self._installed = installed
        self._complaints = complaints.open("ab")
        self.restarts = 0
        self.log = LogReader()
        self._stopping = threading.Event()
        self._process = self._start()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def holds(self) -> dict[str, float]:
        """Memory in MiB, open descriptors and threads of the process."""
        process = psutil.Process(self.pid)
        return {
            "memory_mb": round(process_tree.pss_mb(self.pid), 2),
            "descriptors": process.num_fds(),
            "threads": process.num_threads(),
        }

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)

    def stop(self) -> int:
        """End it as Cloud Run does; its exit status."""
        self._stopping.set()
        self._watcher.join()
        self._process.terminate()
        status = self._process.wait(10)
        self.log.end()
        self._complaints.close()
        return status

    def _start(self) -> subprocess.Popen[bytes]:
        bundle = str(self._installed / "bundle")
        address = {"BUNDLE": bundle, "HOST": HOST, "PORT": str(self.port)}
        return subprocess.Popen(
            [sys.executable, *start_command(self._installed)],
            cwd=self._installed,
            env={**os.environ, **address},
            stdout=self.log.pipe(),
            stderr=self._complaints,
        )

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_S):
            if self._process.poll() is not None:
                self.restarts += 1
                self._process = self._start()


class LogReader:
    """Reads the log as the platform does, or does not read it for a while."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._free = threading.Event()
        self._free.set()
        self.lines = 0
        self.dropped = 0
        self.messages: Counter[str] = Counter()
        self.problems: list[str] = []
        self.torn: list[str] = []
        """Lines that are none of ours, such as one that a kill cut off."""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def pipe(self) -> int:
        """Where the function writes."""
        return self._writing

    def hold_up(self, *, stuck: bool) -> None:
        (self._free.clear if stuck else self._free.set)()

    def end(self) -> None:
        """Read what is left."""
        self._free.set()
        os.close(self._writing)
        self._thread.join()

    def _read(self) -> None:
        with os.fdopen(self._reading, "rb") as pipe:
            for line in pipe:
                self._free.wait()
                self._note(line)

    def _note(self, line: bytes) -> None:
        self.lines += 1
        if CANARY.lower().encode() in line.lower():
            self.problems.append("a line has what a caller sent")
        try:
            entry = json.loads(line)
            self.dropped += entry.get("profile", {}).get("dropped", 0)
            self.messages[entry["severity"]] += 1
        except (ValueError, LookupError, TypeError, AttributeError):
            self.torn.append(f"{line[:200]!r}")


def wait_until_ready(instance: KeptInstance) -> None:
    """As the startup probe does; raises ServerError."""
    deadline_s = time.monotonic() + STARTS_S
    while time.monotonic() < deadline_s:
        connection = http.client.HTTPConnection(HOST, instance.port, timeout=5)
        try:
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise ServerError(f"not ready after {STARTS_S:.0f} s")
