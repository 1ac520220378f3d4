"""What does a process with all its children use: memory, processor time, bytes read?"""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import psutil

MIB = 2**20
GRACE_S = 5.0
HIGHEST_RSS_KIB = re.compile(r"^VmHWM:\s+(\d+)", re.MULTILINE)


def tree(pid: int) -> list[psutil.Process]:
    """The process and everything it started, as far as it still runs."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def pss_mb(pid: int) -> float:
    """Resident memory; what n processes share counts 1/n for each, so the sum is true."""
    return float(sum(process.memory_full_info().pss for process in tree(pid))) / MIB


def highest_rss_mb(pid: int) -> float:
    """Sum of each process's highest resident memory: an upper bound, shared pages count twice."""
    statuses = (Path(f"/proc/{process.pid}/status").read_text() for process in tree(pid))
    return sum(int(kib) for status in statuses for kib in HIGHEST_RSS_KIB.findall(status)) / 1024


def cpu_s(pid: int) -> float:
    """User and system time of the tree, children that have ended included."""
    return float(sum(sum(process.cpu_times()[:4]) for process in tree(pid)))


def read_mb(pid: int) -> tuple[float, float]:
    """MiB that were read by calls, and MiB that had to come from disk, mapped files included."""
    counters = [process.io_counters() for process in tree(pid)]
    return (
        sum(counter.read_chars for counter in counters) / MIB,
        sum(counter.read_bytes for counter in counters) / MIB,
    )


def end(pid: int) -> None:
    """End the tree and wait until it is gone; `pid` was started with `start_new_session`.

    A server may start a new worker while it is being ended, hence the whole session's group; and
    a sandbox starts processes in sessions of their own, hence each process of the tree.
    """
    processes = tree(pid)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=GRACE_S)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=GRACE_S)
