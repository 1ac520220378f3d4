"""The processors that this container may use, of which the host has more, and their turns."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
GROUP_OF_PROCESS = Path("/proc/self/cgroup")


class CpuTurns:
    """So many have a turn at once. Of those that wait, who came first has the next."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Lock] = deque()
        """A lock each, held until the turn is theirs."""
        self._lock = threading.Lock()

    def take(self) -> float:
        """Wait for a turn; the seconds that it took, 0 where one was free."""
        with self._lock:
            if self._free:
                self._free -= 1
                return 0.0
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        start_s = time.perf_counter()
        mine.acquire()
        return time.perf_counter() - start_s

    def give(self) -> None:
        """End a turn, which is at once that of the first who waits."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


def usable_cpus() -> int:
    """Processors of this process, by affinity and by its control group's quota; at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _quota()
    return max(1, min(count, int(quota)) if quota else count)


def _quota() -> float | None:
    """Processors that the group's quota of time is worth; None: no quota."""
    try:
        lines = GROUP_OF_PROCESS.read_text().splitlines()
    except OSError:  # no control groups
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            limit, _, period = _read(GROUPS, path, "cpu.max").partition(" ")
        elif "cpu" in controllers.split(","):
            limit = _read(GROUPS / "cpu", path, "cpu.cfs_quota_us")
            period = _read(GROUPS / "cpu", path, "cpu.cfs_period_us")
        else:
            continue
        if limit.isdecimal() and period.isdecimal():
            return int(limit) / int(period)
    return None


def _read(mount: Path, path: str, name: str) -> str:
    """A group's value. Inside a container the group is often mounted as the root of all."""
    for folder in (mount / path.strip("/"), mount):
        try:
            return (folder / name).read_text().strip()
        except OSError:
            continue
    return ""
