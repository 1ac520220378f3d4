"""Libraries that only some formats need: imported when such a file is opened."""

from __future__ import annotations

import importlib
from types import ModuleType

from tables.row import TableError

REQUIREMENTS = "requirements-tables.txt"


def optional_module(name: str) -> ModuleType:
    """A module of a library that may be missing; raises TableError with what to install."""
    try:
        return importlib.import_module(name)
    except ImportError:
        library = name.partition(".")[0]
        problem = f"this format needs {library}"
        raise TableError(f"{problem}; install it: pip install -r {REQUIREMENTS}") from None
