"""Which texts without labels would teach most? Those that the table says least about, spread out.

Of each text the margin between its two likeliest labels is taken; small ones come first. A text
that is nearly like one that was taken already is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tables.reader import Fields
from tables.writer import csv_lines
from training.advice.label_cells import label_columns
from training.advice.quick_model import Floats, QuickModel
from training.rows.labelled_row import Row
from training.task_spec import TaskSpec

MOST = 200
"""Rows that are listed."""
ALIKE = 0.85
"""Cosine from which on two texts teach nearly the same."""


def margins(models: Sequence[QuickModel], vectors: NDArray[np.floating]) -> Floats:
    """[texts]: how sure the models are of their labels, from 0 to 1; the mean over the tasks."""
    sureness: Floats = np.mean([_margin(model, vectors) for model in models], axis=0)
    return sureness


def _margin(model: QuickModel, vectors: NDArray[np.floating]) -> Floats:
    chances = model.probabilities(vectors)
    if model.kind == "multi":  # of the label that is least sure
        least: Floats = 2 * np.abs(chances - 0.5).min(axis=1)
        return least
    ordered: Floats = np.sort(chances, axis=1)
    return ordered[:, -1] - ordered[:, -2] if chances.shape[1] > 1 else ordered[:, 0]


def spread(sureness: Floats, vectors: NDArray[np.floating], most: int = MOST) -> list[int]:
    """Places of up to `most` texts, the least sure first, none like another."""
    taken: list[int] = []
    for place in np.argsort(sureness, kind="stable"):
        if len(taken) == most:
            break
        if not taken or (vectors[taken] @ vectors[place]).max() < ALIKE:
            taken.append(int(place))
    return taken


def to_label_csv(rows: Sequence[Row], tasks: Sequence[TaskSpec], text: str) -> bytes:
    """The texts with the columns of all tasks, to be filled in and listed in the recipe."""
    header = [text, *label_columns(tasks)]
    lines: list[Fields] = [{text: row.text} for row in rows]
    return csv_lines([dict(zip(header, header, strict=True)), *lines], header)
