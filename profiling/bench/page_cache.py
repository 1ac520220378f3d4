"""Can files be read from disk again, as on a fresh instance?"""

from __future__ import annotations

import os
from pathlib import Path

DROP_CACHES = Path("/proc/sys/vm/drop_caches")


def drop(warm: Path | None = None) -> str:
    """Empty the page cache of all but the file `warm`; a note where that is not permitted."""
    os.sync()
    try:
        DROP_CACHES.write_text("3", encoding="utf-8")
    except OSError as error:
        return f"the page cache could not be dropped ({error}): this is a warm one"
    if warm:
        warm.read_bytes()
    return ""
