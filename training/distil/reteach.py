"""How does what ships come to know every row of a small table? Its teachers learn them first.

A student that is fitted on to all rows learns these rows, and little else. Where a tenth of the
rows were held out of a few hundred, that is much to miss: so the teachers are fitted on to all rows
first, and the student goes on with what they then make of all text. By then it has seen much text
that they never did, and is often right where they are not: so it has a voice in it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.distil.committee import combine, fit_weights
from training.distil.label_targets import Logits
from training.distil.soft_targets import VALIDATION, agreed, votes
from training.fit.batches import examples, network_logits, targets
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import SHAPE, load_network
from training.fit.objective import Objective
from training.fit.schedule import FEW_ROWS
from training.fit.trainer import fit
from training.judge.frozen import fit_frozen
from training.rows.table import Row
from training.run import Run

EPOCHS, LEARNING_RATE = 3, 1e-4
VOICE = 0.5
"""Expected weight of the teachers, and of the student: each alone has learnt to answer."""


def is_taught_anew(run: Run) -> bool:
    """Whether so few rows train; the student is then as wide as its teacher and has a committee."""
    student, train = run.recipe.student, run.table.split("train")
    return len(train) <= FEW_ROWS and student.committee and student.width is None


def taught(run: Run, rows: Sequence[Row], texts: Sequence[Row], folder: Path) -> Logits:
    """What teachers of all `rows` and the held-out student together make of `texts`: logits [texts,
    labels of all tasks]. `folder` is for the network that teaches."""
    if not (folder / SHAPE).is_file():
        teacher = load_network(run.work / "teacher")
        settings = replace(run.recipe.teacher, learning_rate=LEARNING_RATE, steps=None)
        fit(run, teacher, Objective(run.heads), rows, settings, EPOCHS, folder)
    frozen = fit_frozen(run).fitted_to(run, rows)
    members, _ = votes(run, load_network(folder), frozen, texts)
    return combine(_weights(run), run.heads, (agreed(run, members), _student_logits(run, texts)))


def _weights(run: Run) -> list[NDArray[np.float64]]:
    """Of each task those of the held-out teachers and of the student, then a bias: [3]."""
    rows = run.table.split("validation")
    members = np.load(run.work / "soft" / VALIDATION), _student_logits(run, rows)
    return fit_weights(run.heads, members, targets(run.table, rows), VOICE)


def _student_logits(run: Run, rows: Sequence[Row]) -> Logits:
    student = load_network(run.work / "student")
    return network_logits(student, examples(run, rows), has_fast_bfloat16())
