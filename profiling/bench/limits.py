"""May this machine hold a process to so many CPUs and so much memory, and does it?

    with limited(CpuMemoryLimits(cpus=1, memory_mb=128)) as group:
        Popen(group.wrap(command))
        group.killed

Control groups, version 2 or 1, where we may make them. Where we may not, a number of CPUs is
kept by affinity, memory is not limited at all, and `group.note` says so.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
MIB = 2**20


@dataclass(frozen=True)
class CpuMemoryLimits:
    """What an instance may use; 0: whatever there is."""

    cpus: float = 0
    memory_mb: int = 0

    def __str__(self) -> str:
        cpus = f"{self.cpus:g} CPU" if self.cpus else "all CPUs"
        return f"{cpus}, {self.memory_mb} MiB" if self.memory_mb else cpus


@dataclass
class ControlGroup:
    """The control groups of one process tree."""

    folders: list[Path] = field(default_factory=list)
    enter: list[str] = field(default_factory=list)
    """Lines of shell with which a process enters."""
    note: str = ""
    """How the limits were kept, in words."""

    def wrap(self, command: list[str]) -> list[str]:
        """The command, entering the groups before it starts."""
        return ["sh", "-c", "; ".join([*self.enter, 'exec "$@"']), "limited", *command]

    @property
    def peak_mb(self) -> float | None:
        """The most memory that the group was charged for, its page cache included."""
        charged = self._read("memory.peak", "memory.max_usage_in_bytes")
        return int(charged) / MIB if charged else None

    @property
    def killed(self) -> bool | None:
        """Whether the kernel ended a process for its memory; None when nothing can tell."""
        events = self._read("memory.events", "memory.oom_control")
        return re.search(r"^oom_kill [1-9]", events, re.MULTILINE) is not None if events else None

    def _read(self, *names: str) -> str:
        """The first of these files that is there; empty when none is."""
        files = (folder / name for folder in self.folders for name in names)
        return next((file.read_text() for file in files if file.exists()), "")


@contextmanager
def limited(limits: CpuMemoryLimits) -> Iterator[ControlGroup]:
    """A group that keeps `limits`, as far as may be; removed afterwards."""
    group = ControlGroup()
    try:
        _apply(limits, group)
        yield group
    finally:
        for folder in group.folders:
            _remove(folder)


def _apply(limits: CpuMemoryLimits, group: ControlGroup) -> None:
    if not (limits.cpus or limits.memory_mb):
        group.note = "no limits"
        return
    try:
        for parent, values in _values(limits):
            if values:
                folder = parent / f"polyhead-{os.getpid()}-{time.monotonic_ns()}"
                folder.mkdir()
                group.folders.append(folder)
                group.enter.append(f"echo $$ > {shlex.quote(str(folder / 'cgroup.procs'))}")
                for name, value in values.items():
                    (folder / name).write_text(value)
        group.note = f"{limits} kept by control groups"
    except OSError as error:
        group.note = f"control groups are not permitted here ({error}); memory is not limited"
        if limits.cpus:
            count = max(1, round(limits.cpus))
            # The client works on the first CPUs, where there are more.
            cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))[-count:]))
            group.enter.append(f"taskset -pc {cpus} $$ > /dev/null")
            group.note += f", {count} CPU kept by affinity"


def _values(limits: CpuMemoryLimits) -> list[tuple[Path, dict[str, str]]]:
    """What to write where: one folder in version 2, one for each controller in version 1."""
    quota, memory = str(round(limits.cpus * PERIOD_US)), str(limits.memory_mb * MIB)
    if (ROOT / "cgroup.controllers").exists():
        values = {"cpu.max": f"{quota} {PERIOD_US}"} if limits.cpus else {}
        if limits.memory_mb:
            values |= {"memory.max": memory, "memory.swap.max": "0"}
        return [(ROOT, values)]
    cpu = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": quota}
    return [
        (ROOT / "cpu", cpu if limits.cpus else {}),
        (ROOT / "memory", {"memory.limit_in_bytes": memory} if limits.memory_mb else {}),
    ]


def _remove(folder: Path) -> None:
    """The kernel takes a moment to let go of processes that have ended."""
    for _ in range(100):
        try:
            folder.rmdir()
        except OSError:
            time.sleep(0.02)
        else:
            return
