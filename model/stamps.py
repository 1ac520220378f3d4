"""Was a file changed since it was looked at? Size, time and inode tell, without its content."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Stamps = dict[str, tuple[int, ...]]
    """By path; an empty one for a file that is not there."""


def stamps(files: Iterable[Path]) -> Stamps:
    """The stamps of files."""
    return {str(file): _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError:
        return ()
    return (status.st_size, status.st_mtime_ns, status.st_ino)
