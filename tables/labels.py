"""Labels in a cell, read and written by one rule for training, the report and batch scoring.

A single-label task holds a label; a multi-label task a list of labels, in CSV joined by `|`, and
`[]` where none apply. None, absent or blank: not labelled. An empty label, as in `a|`, is a fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SEPARATOR = "|"
NONE_APPLY = "[]"


class LabelError(ValueError):
    """The value cannot be the labels of such a task; the message says what to give."""


def parse_labels(value: Any, kind: str) -> frozenset[str] | None:
    """The labels in a cell for a task of `kind` (`single` or `multi`); None: not labelled.

    Raises LabelError for a value of another type and for an empty label.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if kind == "single":
        if not isinstance(value, str):
            raise LabelError(
                f"{value!r}; a single-label task takes one string, "
                'or declare the task kind = "multi"'
            )
        return frozenset([value.strip()])
    labels = value
    if isinstance(value, str):
        labels = [] if value.strip() == NONE_APPLY else value.split(SEPARATOR)
    if not isinstance(labels, list) or not all(map(_is_label, labels)):
        raise LabelError(
            f"{value!r}; a multi-label task takes a list of strings "
            f"(in CSV joined by {SEPARATOR}, {NONE_APPLY} for none)"
        )
    return frozenset(label.strip() for label in labels)


def plain_labels(labels: frozenset[str] | None, kind: str) -> list[str] | str | None:
    """Labels as a JSON field holds them: what `parse_labels` reads back."""
    if labels is None:
        return None
    return sorted(labels) if kind == "multi" else next(iter(labels))


def join_labels(labels: Iterable[str]) -> str:
    """Labels as one CSV cell."""
    return SEPARATOR.join(labels)


def _is_label(value: Any) -> bool:
    """Whether it is one label of several; "['a'" is a piece of a list in another notation."""
    return isinstance(value, str) and bool(value.strip()) and not value.lstrip().startswith("[")
