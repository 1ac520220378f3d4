"""Labels in a cell, read and written by one rule for training, the report and batch scoring.

A single-label task holds a label; a multi-label task a list of labels, in CSV joined by `|`, and
`[]` where none apply. None, absent, blank or NaN: not labelled. An empty label, as in `a|`, is a
fault. Numbers are labels, too: 1, 1.0 and "1" are the same one, as are 2.5 and "2.5".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

SEPARATOR = "|"
NONE_APPLY = "[]"
WHOLE_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
"""As a column of whole numbers is written once a cell of it is empty."""
MARKS = {"1": True, "0": False, "true": True, "false": False}


class LabelError(ValueError):
    """The value cannot be the labels of such a task; the message says what to give."""


def parse_labels(value: Any, kind: str, separator: str = SEPARATOR) -> frozenset[str] | None:
    """The labels in a cell for a task of `kind` (`single` or `multi`); None: not labelled.

    `separator` stands between labels in a text. Raises LabelError for a value of another type and
    for an empty label.
    """
    if is_missing(value):
        return None
    if kind == "single":
        if (label := parse_label(value)) is None:
            remedy = ', or declare the task kind = "multi"' if isinstance(value, list) else ""
            raise LabelError(f"{value!r}; a single-label task takes one string or number{remedy}")
        return frozenset([label])
    labels = value if isinstance(value, list) else [value]
    if isinstance(value, str):
        labels = [] if value.strip() == NONE_APPLY else value.split(separator)
    parsed = [label for label in map(parse_label, labels) if label and not label.startswith("[")]
    if len(parsed) < len(labels):  # "['a'" is a piece of a list in another notation
        raise LabelError(
            f"{value!r}; a multi-label task takes a list of strings or numbers "
            f"(in CSV joined by {separator}, {NONE_APPLY} for none)"
        )
    return frozenset(parsed)


def parse_marks(marks: Mapping[str, Any]) -> frozenset[str] | None:
    """The labels with 1 among {label: its cell, 0 or 1}; None: no cell is filled.

    Raises LabelError for any other value, and where some cells are empty.
    """
    if all(map(is_missing, marks.values())):
        return None
    applies = {label: MARKS.get((parse_label(mark) or "").lower()) for label, mark in marks.items()}
    for label, mark in applies.items():
        if mark is None:
            raise LabelError(f"{marks[label]!r} in column {label!r}; give 0 or 1")
    return frozenset(label for label, mark in applies.items() if mark)


def parse_label(value: Any) -> str | None:
    """One label, or any other name, as text; None: the value is no string or number."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
        case float() if math.isfinite(value):
            return repr(value)
        case str():
            whole = WHOLE_NUMBER.fullmatch(value.strip())
            return str(int(whole[1])) if whole else value.strip()
    return None


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: null, blank or not a number."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value != value


def plain_labels(labels: frozenset[str] | None, kind: str) -> list[str] | str | None:
    """Labels as a JSON field holds them: what `parse_labels` reads back."""
    if labels is None:
        return None
    return sorted(labels) if kind == "multi" else next(iter(labels))


def join_labels(labels: Iterable[str]) -> str:
    """Labels as one CSV cell; one that says so where there are none."""
    return SEPARATOR.join(labels) or NONE_APPLY
