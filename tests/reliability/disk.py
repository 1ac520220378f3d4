"""A disk in memory whose room can be taken away at any moment."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

BYTES = 2**30
PAGE = 4096
MS_REMOUNT, MNT_DETACH = 32, 2
INSIDE = "POLYHEAD_OWN_MOUNTS"


OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
"""Starts a command that may mount; needs root or user namespaces."""


def can_have_own_mounts() -> bool:
    command = [*OWN_MOUNTS, "true"]
    return shutil.which(OWN_MOUNTS[0]) is not None and not subprocess.call(
        command, stderr=subprocess.DEVNULL
    )


def run_again_with_own_mounts(module: str) -> None:
    """Start `python -m module` anew where it may mount; raises SystemExit where it may not."""
    if INSIDE in os.environ:
        return
    if not can_have_own_mounts():
        raise SystemExit("a disk in memory needs root or user namespaces (unshare)")
    command = [*OWN_MOUNTS, sys.executable, "-m", module, *sys.argv[1:]]
    os.execvpe(OWN_MOUNTS[0], command, {**os.environ, INSIDE: "1"})


class Disk:
    """A tmpfs in `folder`, of this process and those that it starts alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._mount(0, BYTES)

    def _mount(self, flags: int, size: int) -> None:
        options = f"size={size}".encode()
        arguments = (b"polyhead", os.fsencode(self.folder), b"tmpfs", flags, options)
        if self._libc.mount(*arguments):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(self.folder))

    @property
    def used(self) -> int:
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def leave(self, room: int) -> None:
        """Be full when so many more bytes are written, in whole pages."""
        for _ in range(1000):
            try:
                return self._mount(MS_REMOUNT, self.used + room // PAGE * PAGE)
            except OSError:  # a file grew meanwhile: it holds more than that size
                continue
        raise OSError("the disk could not be made small")

    def free(self) -> None:
        self._mount(MS_REMOUNT, BYTES)

    def close(self) -> None:
        self._libc.umount2(os.fsencode(self.folder), MNT_DETACH)
