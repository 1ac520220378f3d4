"""What a pipeline leaves behind: shards OUT-00000-of-00002.jsonl, and OUT.rejected.jsonl.

Beam writes to beam-temp-OUT-... beside them and moves each file into place at the end, what was
set aside before the shards. So shards whose numbers are not all there are of a killed run.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from function.batch.beam_tables import is_local
from tables.reader import TableError

SUFFIX = ".jsonl"
REJECTED_END = ".rejected"
SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.jsonl")
TAKEN_FOR_SHARD = re.compile(r"-[^/]*-of-\d{5}\.jsonl")
"""Beam deletes these at the end of a run with so many shards."""
TEMPORARY = re.compile(r"-[0-9a-f]{32}(/.*)?")
"""End of the name of a temporary folder of Beam, or of a file in it."""


def clear_output(target: str, tables: Sequence[str], *, force: bool) -> None:
    """Delete what killed runs left of an output, and with `force` a whole one.

    Raises TableError for a whole output without `force`, where one of the input's `tables` would
    be deleted, and where Beam would delete what is of another output.
    """
    paths = _paths(target, f"-*-of-*{SUFFIX}")
    shards = _ends(paths, target, SHARD)
    for path in set(_ends(paths, target, TAKEN_FOR_SHARD)).difference(shards):
        raise TableError(f"{path}: Beam would delete it with {target}'s; name another output")
    leftovers = [*shards, *_paths(target, f"{REJECTED_END}{SUFFIX}")]
    for path in leftovers:
        if any(_is_same(path, table) for table in tables):
            raise TableError(f"{path}: is an input, and of {target}; name another output")
    if _is_whole(target, shards) and not force:
        raise TableError(f"{target}-*{SUFFIX}: exists already; give --force to replace it")
    for name in (target, f"{target}{REJECTED_END}"):
        folder, slash, last = name.rpartition("/")
        start = f"{folder}{slash}beam-temp-{last}"
        # A bucket has no folders, but names of objects.
        leftovers += _ends(_paths(start, "-*" if is_local(target) else "-*/*"), start, TEMPORARY)
    if leftovers:
        FileSystems.delete(leftovers)


def _ends(paths: list[str], start: str, end: re.Pattern[str]) -> list[str]:
    """Those paths that are `start` and an end; others belong to outputs of longer names."""
    return [path for path in paths if end.fullmatch(path.removeprefix(start))]


def _is_same(path: str, table: str) -> bool:
    if is_local(path) and is_local(table):
        return Path(path).resolve() == Path(table).resolve()
    return path == table


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
