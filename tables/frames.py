"""Data frames of pandas and polars in, columns for them out; neither library is imported here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from tables.row import Fields, TableError

MISSING_TYPES = ("NAType", "NaTType")
"""Types of pandas.NA and pandas.NaT; the one cannot be compared, the other would be a date."""
Answers = Mapping[str, Sequence[Mapping[str, Any]]]
"""{task: [{"label", "score"}, ...]} of one text, as the classifier predicts it."""


class KindOfTask(Protocol):
    """What of a bundle's task says how its column looks."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...


def is_frame(value: object) -> bool:
    """Whether it is a DataFrame: polars' has `iter_rows`, pandas' `itertuples`."""
    return hasattr(value, "iter_rows") or hasattr(value, "itertuples")


def frame_rows(frame: Any) -> Iterator[Fields]:
    """The rows of a DataFrame, whose index is left out; raises TableError for two like columns."""
    names = [str(name) for name in frame.columns]
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise TableError(f"the frame has two columns {', '.join(repeated)}; rename one")
    is_polars = hasattr(frame, "iter_rows")
    rows = frame.iter_rows() if is_polars else frame.itertuples(index=False, name=None)
    for values in rows:
        yield dict(zip(names, map(plain_value, values), strict=True))


def plain_value(value: Any) -> Any:
    """A value as JSON holds it; None for NaN, NaT and NA, text for what JSON has no type for.

    Bytes are read as UTF-8; those that are not become lone surrogates, which the reader refuses.
    """
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        value = value.tolist()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return None if math.isnan(value) else value if math.isfinite(value) else str(value)
        case list() | tuple():
            return [plain_value(item) for item in value]
        case set() | frozenset():
            return sorted(map(plain_value, value), key=str)  # the same in every process
        case dict():
            return {str(key): plain_value(item) for key, item in value.items()}
        case bytes():
            return value.decode("utf-8", "surrogateescape")
    return None if type(value).__name__ in MISSING_TYPES else str(value)


def prediction_columns(
    predictions: Sequence[Answers], tasks: Iterable[KindOfTask]
) -> dict[str, list[Any]]:
    """Columns `TASK.predicted` and `TASK.score`, a row per text; `tasks` are the bundle's.

    A single-label task has its likeliest label, or None where none reached `min_score`; a
    multi-label task a list of labels. Tasks that were not asked for have no columns.
    """
    columns: dict[str, list[Any]] = {}
    for task in tasks:
        if not all(task.name in answers for answers in predictions):
            continue
        for column, key in (("predicted", "label"), ("score", "score")):
            cells = [[label[key] for label in answers[task.name]] for answers in predictions]
            columns[f"{task.name}.{column}"] = (
                cells if task.kind == "multi" else [next(iter(cell), None) for cell in cells]
            )
    return columns
