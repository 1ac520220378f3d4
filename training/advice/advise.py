"""What should be mended in the table, what labelled next, and what would more rows bring?

A stage of its own, since nothing of the bundle depends on it. It asks a model that is fitted in a
second, so figures are of that one: where they point is true of the network, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.aside import write_json
from training.advice.learning_curve import LearningCurve, learning_curve
from training.advice.quick_model import FOLDS, QuickModel, fit_quick
from training.advice.suspects import Suspect, suspects, suspects_csv
from training.advice.to_label import margins, spread, to_label_csv
from training.fit.batches import targets
from training.fit.sentence_vectors import sentence_vectors
from training.rows.splits import position
from training.rows.table import Row
from training.run import FACTS, Run

SUSPECTS, TO_LABEL = "suspects.csv", "to_label.csv"
MOST_UNLABELLED = 20_000
"""Texts without labels that are looked at, evenly spaced."""
FEWEST_TEST_ROWS = 20
"""Fewer tell nothing of what more training rows would bring."""
Vectors = NDArray[np.float32]


def run(run: Run, folder: Path) -> None:
    """The stage `advise`: write SUSPECTS, TO_LABEL and the facts of both to `folder`."""
    rows = [row for row in run.table.rows if row.labelled]
    vectors = _vectors(run, rows)
    models: list[QuickModel] = []
    found: list[Suspect] = []
    curves: list[LearningCurve] = []
    truth = targets(run.table, rows)
    folds = np.array([int(FOLDS * position(row.group, run.recipe.data.seed)) for row in rows])
    splits = np.array([row.split for row in rows])
    for task, head in zip(run.table.tasks, run.heads, strict=True):
        labelled = ~np.isnan(head.of(truth)[:, 0])
        marks, part = head.of(truth)[labelled] > 0, vectors[labelled]
        model, chances = fit_quick(task.kind, part, marks, folds[labelled])
        models.append(model)
        found += suspects(task, _those(rows, labelled), marks, chances)
        train, test = (splits[labelled] == name for name in ("train", "test"))
        if test.sum() >= FEWEST_TEST_ROWS and train.any():
            pair = (part[train], marks[train]), (part[test], marks[test])
            curves.append(
                learning_curve(task.name, task.kind, pair[0], folds[labelled][train], pair[1])
            )
    tasks, text = run.recipe.tasks, run.recipe.data.text
    (folder / SUSPECTS).write_bytes(suspects_csv(tasks, text, found))
    unlabelled = run.table.transfer[:: max(1, len(run.table.transfer) // MOST_UNLABELLED)]
    chosen = _to_label(run, models, unlabelled)
    (folder / TO_LABEL).write_bytes(to_label_csv(chosen, tasks, text))
    counts = {
        task.name: sum(suspect.task == task.name for suspect in found) for task in run.table.tasks
    }
    facts = {
        "suspects": counts,
        "rows": len(rows),
        "to_label": len(chosen),
        "unlabelled": len(run.table.transfer),
        "looked_at": len(unlabelled),
        "curves": [asdict(curve) for curve in curves],
    }
    write_json(folder / FACTS, facts)


def _vectors(run: Run, rows: Sequence[Row]) -> Vectors:
    """[rows, width]."""
    texts = [row.text for row in rows]
    return sentence_vectors(run.base, texts, run.max_tokens, run.recipe.data.long_texts)


def _those(rows: Sequence[Row], wanted: NDArray[np.bool_]) -> list[Row]:
    return [rows[place] for place in np.flatnonzero(wanted).tolist()]


def _to_label(run: Run, models: Sequence[QuickModel], rows: Sequence[Row]) -> list[Row]:
    if not rows:
        return []
    vectors = _vectors(run, rows)
    return [rows[place] for place in spread(margins(models, vectors), vectors)]
