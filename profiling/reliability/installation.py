"""The function in a folder of its own, as an image has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from profiling.server import FROM_IMAGE, ROOT

SERVED = ("function", "model", "profiling/__init__.py", "profiling/timer")


def install(folder: Path, bundle: Path) -> Path:
    """Copy all that is served, and `bundle`, into `folder`."""
    for name in SERVED:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        if (ROOT / name).is_dir():
            without = shutil.ignore_patterns("ingredients", "__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=without)
        else:
            shutil.copy(ROOT / name, folder / name)
    shutil.copytree(bundle, folder / "bundle")
    return folder


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Python there, with `arguments`."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "BUNDLE": str(folder / "bundle"), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def start_command(folder: Path) -> tuple[str, ...]:
    """What the image starts, of that folder."""
    return (*FROM_IMAGE[:-1], str(folder / FROM_IMAGE[-1]))
