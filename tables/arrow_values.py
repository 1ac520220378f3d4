"""Values of Arrow columns as the fields of other formats have them, and names of class numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from tables.row import Fields, is_blank_cell

ClassNames = Mapping[str, Sequence[str]]
"""{column: the names of its classes, in the order of their numbers}."""
HUGGING_FACE = b"huggingface"
"""Key of an Arrow schema's metadata under which `datasets` keeps its features."""


def class_names(features: Mapping[str, Any]) -> ClassNames:
    """The columns of a Hugging Face dataset that hold numbers of classes, or lists of these."""
    names = {}
    for column, feature in features.items():
        if isinstance(feature, list):
            feature = feature[0]
        of_items = feature.get("feature", feature)
        if isinstance(of_items, dict) and of_items.get("_type") == "ClassLabel":
            names[column] = of_items["names"]
    return names


def class_names_of_schema(metadata: Mapping[bytes, bytes] | None) -> ClassNames:
    """Those that an Arrow schema keeps for `datasets`."""
    kept = json.loads((metadata or {}).get(HUGGING_FACE, b"{}"))
    return class_names(kept.get("info", {}).get("features") or {})


def rows_of_batch(batch: Any, names: ClassNames) -> Iterator[Fields | None]:
    """The rows of a pyarrow.RecordBatch; None for one whose cells are all empty."""
    for values in batch.to_pylist():
        fields = {
            column: _with_names(plain_value(value), names.get(column))
            for column, value in values.items()
        }
        yield None if all(map(is_blank_cell, fields.values())) else fields


def plain_value(value: Any) -> Any:
    """A value that JSON can hold; not a number is no value."""
    match value:
        case float():
            return value if value == value else None
        case Decimal():
            return int(value) if value == int(value) else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case list() | tuple():
            return [plain_value(item) for item in value]
        case dict():
            return {key: plain_value(item) for key, item in value.items()}
        case None | bool() | int() | str():
            return value
    return str(value)


def _with_names(value: Any, names: Sequence[str] | None) -> Any:
    """Numbers of classes as their names; -1, which stands for no class, as None."""
    if names is None:
        return value
    if isinstance(value, list):
        return [_with_names(item, names) for item in value]
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None if value == -1 else value
    return value
