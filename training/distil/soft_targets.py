"""What does the student learn from? Logits of its teachers on all text, computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.distil.committee import combine, fit_weights
from training.fit.batches import examples, network_logits, targets
from training.fit.network import load_network
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

TRAIN, VALIDATION = "train.npy", "validation.npy"
"""float32 [rows, labels of all tasks], of `student_rows` and of the validation split."""


def run(run: Run, folder: Path) -> None:
    """The stage `soft`: write the teacher's logits, or the committee's, to `folder`."""
    network = load_network(run.work / "teacher")
    parts = {TRAIN: student_rows(run), VALIDATION: run.table.split("validation")}
    logits = {name: network_logits(network, examples(run, rows)) for name, rows in parts.items()}
    if run.recipe.student.committee:
        linear = fit_linear(run.table)
        members = {
            name: (logits[name], linear.decision_values([row.text for row in rows]))
            for name, rows in parts.items()
        }
        truth = targets(run.table, parts[VALIDATION])
        weights = fit_weights(run.heads, members[VALIDATION], truth)
        logits = {name: combine(weights, run.heads, pair) for name, pair in members.items()}
    for name, part in logits.items():
        np.save(folder / name, part)


def student_rows(run: Run) -> list[Row]:
    """All text that the student learns from."""
    return [*run.table.split("train"), *run.table.transfer]
