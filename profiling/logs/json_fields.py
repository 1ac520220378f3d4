"""Is a field of a log line what the function writes? Values of any JSON, checked and made plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 1e12
"""Larger numbers are no duration, size or count: in milliseconds it is 30 years."""
LONGEST_TEXT = 300
"""Longer texts are cut."""


def number(value: object, least: float = 0.0) -> float:
    """A number from `least` to MOST; raises ValueError for any other value, and for a boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST:
        raise ValueError(f"{type(value).__name__} instead of a number")
    return float(value)


def count(value: object, most: float = 2**31 - 1) -> int:
    """A whole number from 0 to `most`; raises ValueError."""
    whole = number(value)
    if not whole.is_integer() or whole > most:
        raise ValueError(f"{whole} instead of a count")
    return int(whole)


def flag(value: object) -> bool:
    """A boolean; raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{type(value).__name__} instead of a boolean")
    return value


def text(value: object) -> str:
    """The first line of a string, safe to print; of any other value, and of blanks, nothing."""
    if not isinstance(value, str):
        return ""
    line = value[: 10 * LONGEST_TEXT].strip().partition("\n")[0].rstrip()[:LONGEST_TEXT]
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; for any other value, an empty one."""
    return value if isinstance(value, Mapping) else {}
