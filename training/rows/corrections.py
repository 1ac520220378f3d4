"""Which labels does a file of corrections replace? Those of the rows with the same text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from training.rows.data_files import DataError
from training.rows.labelled_row import Row, Target
from training.rows.splits import normalise


def corrected(rows: Sequence[Row], corrections: Sequence[Row]) -> list[Row]:
    """`rows`, with the labels that `corrections` have; a task that they leave empty stays.

    Everything else of a row stays, its split too. Raises DataError for a text that no row has.
    """
    targets: dict[str, tuple[Target, ...]] = {}
    for correction in corrections:
        key = normalise(correction.text)
        targets[key] = _over(targets.get(key, correction.targets), correction.targets)
    texts = {normalise(row.text) for row in rows}
    for correction in corrections:
        if normalise(correction.text) not in texts:
            raise DataError(
                f"{correction.place}: corrects {correction.text!r}, a text that no other file has; "
                "list new rows in a file without corrects = true"
            )
    return [
        replace(row, targets=_over(row.targets, targets.get(normalise(row.text), row.targets)))
        for row in rows
    ]


def _over(before: tuple[Target, ...], after: tuple[Target, ...]) -> tuple[Target, ...]:
    return tuple(old if new is None else new for old, new in zip(before, after, strict=True))
