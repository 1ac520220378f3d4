"""How does what ships come to know every row of a small table? Its teachers learn them first.

A student that is fitted on to all rows learns these rows, and little else. Where a tenth of the
rows were held out of a few hundred, that is much to miss: so the teachers are fitted on to all rows
first, and the student goes on with what they then make of all text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.distil.label_targets import Logits
from training.distil.soft_targets import agreed, votes
from training.fit.network import SHAPE, load_network
from training.fit.objective import Objective
from training.fit.schedule import FEW_ROWS
from training.fit.trainer import fit
from training.judge.frozen import fit_frozen
from training.rows.table import Row
from training.run import Run

EPOCHS, LEARNING_RATE = 3, 1e-4


def is_taught_anew(run: Run) -> bool:
    """Whether so few rows train; the student is then as wide as its teacher and has a committee."""
    student, train = run.recipe.student, run.table.split("train")
    return len(train) <= FEW_ROWS and student.committee and student.width is None


def taught(
    run: Run, rows: Sequence[Row], texts: Sequence[Row], folder: Path
) -> tuple[Logits, Logits | None]:
    """What teachers of all `rows` make of `texts`: logits [texts, labels of all tasks], and what
    the network's heads read [texts, tasks, width], None of many. `folder` is for the network."""
    if not (folder / SHAPE).is_file():
        teacher = load_network(run.work / "teacher")
        settings = replace(run.recipe.teacher, learning_rate=LEARNING_RATE, steps=None)
        fit(run, teacher, Objective(run.heads), rows, settings, EPOCHS, folder)
    frozen = fit_frozen(run).fitted_to(run, rows)
    members, states = votes(run, load_network(folder), frozen, texts)
    return agreed(run, members), states
