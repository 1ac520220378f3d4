"""Write aside, then move into place: others see the old file or the new one, never half of one.

Standard library only: the bundle is written and the function started with it.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextmanager
def file_aside(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the place of `target` when the block ends.

    An exception in the block leaves `target` as it was.
    """
    aside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        yield aside
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8 to `target`, whole or not at all."""
    with file_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any, indent: int | None = 1) -> None:
    """Write `value` as JSON to `target`, whole or not at all."""
    write_text(target, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in `path`; None when there is no such file or it is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


@contextmanager
def directory_aside(target: Path) -> Iterator[Path]:
    """An empty directory beside `target`; it takes the place of `target` when the block ends.

    An exception in the block leaves `target` as it was.
    """
    import shutil

    aside, old = (target.with_name(f".{target.name}.{os.getpid()}.{end}") for end in ("new", "old"))
    for leftover in (aside, old):
        shutil.rmtree(leftover, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
        if target.exists():  # two renames: it is absent for a moment, but never half-written
            target.replace(old)
        aside.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def clear_leftovers(folder: Path, name: str | None = None) -> None:
    """Undo what killed processes left in `folder` of writing `name` aside; None: anything.

    What one had moved away for its successor takes its place again, the rest is removed. Only
    where no other process writes now.
    """
    import re
    import shutil

    for leftover in list(folder.glob(".*")):
        match = re.fullmatch(r"\.(.+)\.\d+\.(new|old)", leftover.name)
        if match is None or name not in (None, match[1]):
            continue
        if match[2] == "old" and not (folder / match[1]).exists():
            leftover.replace(folder / match[1])
        elif leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
