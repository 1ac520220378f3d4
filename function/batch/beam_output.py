"""What a pipeline leaves behind: shards OUT-00000-of-00002.jsonl, and OUT.rejected.jsonl.

Beam writes to beam-temp-OUT-... beside them and moves each file into place at the end, what was
set aside before the shards. So shards whose numbers are not all there are of a killed run.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from function.batch.beam_tables import is_local
from tables.reader import TableError

SUFFIX = ".jsonl"
REJECTED_END = ".rejected"
SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.jsonl")
TEMPORARY = re.compile(r"-[0-9a-f]{32}(/.*)?")
"""End of the name of a temporary folder of Beam, or of a file in it."""


def clear_output(target: str, *, force: bool) -> None:
    """Delete what killed runs left of an output, and with `force` a whole one.

    Raises TableError for a whole output without `force`.
    """
    shards = _paths(target, f"-*-of-*{SUFFIX}")
    if _is_whole(target, shards) and not force:
        raise TableError(f"{target}-*{SUFFIX}: exists already; give --force to replace it")
    leftovers = [*shards, *_paths(target, f"{REJECTED_END}{SUFFIX}")]
    for name in (target, f"{target}{REJECTED_END}"):
        folder, slash, last = name.rpartition("/")
        start = f"{folder}{slash}beam-temp-{last}"
        # A bucket has no folders, but names of objects.
        paths = _paths(start, "-*" if is_local(target) else "-*/*")
        leftovers += [path for path in paths if TEMPORARY.fullmatch(path.removeprefix(start))]
    if leftovers:
        FileSystems.delete(leftovers)


def _is_whole(target: str, shards: list[str]) -> bool:
    """Whether the shards are all of one run."""
    names = [SHARD.fullmatch(path.removeprefix(target)) for path in shards]
    counts = {int(name[2]) for name in names if name}
    return counts == {len({name[1] for name in names if name})}


def _paths(start: str, pattern: str) -> list[str]:
    """Files, and here folders, whose path is `start` and something that fits `pattern`."""
    if is_local(start):
        folder, slash, name = start.rpartition("/")
        matches = Path(folder + slash or ".").glob(glob.escape(name) + pattern)
        return [folder + slash + path.name for path in matches]
    try:
        return [match.path for match in FileSystems.match([start + pattern])[0].metadata_list]
    except OSError as error:
        raise TableError(f"{start}: {error}") from None
