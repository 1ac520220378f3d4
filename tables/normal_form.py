"""When do two texts count as the same?"""

from __future__ import annotations

import unicodedata


def normalise(text: str) -> str:
    """NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())
