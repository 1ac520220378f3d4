"""Did a command end because a disk is full? Python's files say so; torch's writer does not."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
PROBE_BYTES = 2**16


def full_disk(error: Exception, folder: Path) -> str | None:
    """What to tell whoever ran the command whose files are below `folder`; None: another error."""
    reasons = [reason for reason in _chain(error) if _has_no_space(reason)]
    if not reasons and not isinstance(error, OSError | RuntimeError):
        return None
    full = [place for place in (folder, *_temporary_folder()) if not _takes_more(place)]
    if not reasons and not full:
        return None
    files = [file for reason in reasons for file in _files(reason)]
    return (
        f"{[*files, *full, folder][0]}: no space is left on its disk; free some and give the same "
        "command again: it goes on from what is saved"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _has_no_space(error: BaseException) -> bool:
    code = error.errno if isinstance(error, OSError) else None
    return code in NO_SPACE or f"(os error {errno.ENOSPC})" in str(error)  # Rust's: safetensors


def _files(error: BaseException) -> list[str]:
    """The file that could not be written, where the error names it: of two, the copy."""
    names = (error.filename2, error.filename) if isinstance(error, OSError) else ()
    return [str(name) for name in names if name is not None]


def _temporary_folder() -> list[Path]:
    try:
        return [Path(tempfile.gettempdir())]
    except FileNotFoundError:  # none takes a file
        return []


def _takes_more(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
    except OSError as error:
        return error.errno not in NO_SPACE
    return True
