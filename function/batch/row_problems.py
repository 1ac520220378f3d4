"""Why can a row not be scored? The reasons that stand beside the output."""

from __future__ import annotations

from model.encoding import is_blank
from tables.row import Fields

PREDICTIONS, TRUNCATED = JSON_FIELDS = ("predictions", "truncated")
"""What JSON lines get; the second only where the text was cut."""


def text_problem(fields: Fields, text: str) -> str | None:
    """Why the field `text` cannot be answered."""
    value = fields.get(text)
    if value is None:
        return f"no {text!r}"
    if not isinstance(value, str):
        return f"{text!r} is not a string"
    return f"{text!r} is blank" if is_blank(value) else None


def name_problem(fields: Fields, added: list[str]) -> str | None:
    """Why the fields `added` cannot be added to a row."""
    taken = next((name for name in added if name in fields), None)
    return None if taken is None else f"has a field {taken!r} already"
