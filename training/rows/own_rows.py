"""Which rows is a refitted student answerable for? Those that it is fitted to, without riddles."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from training.rows.splits import normalise
from training.rows.table import Row, Table, Target


def own_rows(table: Table, never_fitted: Collection[str]) -> list[Row]:
    """All labelled rows but those of the slices `never_fitted`, and rows that repeat their text."""
    labelled = [row for row in table.rows if row.labelled]
    left_out = {normalise(row.text) for row in labelled if row.slice in never_fitted}
    return [row for row in labelled if normalise(row.text) not in left_out]


def anchors(table: Table) -> list[Row]:
    """Unlabelled text to which a refitted student must go on answering as before: every other."""
    return table.transfer[::2]


def probes(table: Table) -> list[Row]:
    """Text that shows whether it does: the rest of the unlabelled, or the test rows if none is."""
    return table.transfer[1::2] or table.split("test")


def contradicted(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """[rows, tasks]: where the same text stands among `rows` with other labels for the task."""
    targets: dict[str, list[set[Target]]] = {}
    for row in rows:
        of_text = targets.setdefault(normalise(row.text), [set() for _ in row.targets])
        for seen, target in zip(of_text, row.targets, strict=True):
            if target is not None:
                seen.add(target)
    return np.array([[len(seen) > 1 for seen in targets[normalise(row.text)]] for row in rows])
