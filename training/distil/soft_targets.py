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

FILES = ("train.npy", "validation.npy")
"""float32 [rows, labels of all tasks], in the order of `student_rows`."""


def run(run: Run, folder: Path) -> None:
    """The stage `soft`: write the teacher's logits, or the committee's, to `folder`."""
    network, parts = load_network(run.work / "teacher"), student_rows(run)
    logits = [network_logits(network, examples(run, rows)) for rows in parts]
    if run.recipe.student.committee:
        linear = fit_linear(run.table)
        second = [linear.decision_values([row.text for row in rows]) for rows in parts]
        truth = targets(run.table, parts[1])
        weights = fit_weights(run.heads, (logits[1], second[1]), truth)
        members = zip(logits, second, strict=True)
        logits = [combine(weights, run.heads, pair) for pair in members]
    for name, part in zip(FILES, logits, strict=True):
        np.save(folder / name, part)


def student_rows(run: Run) -> tuple[list[Row], list[Row]]:
    """All text that the student learns from, and the rows that it is validated on."""
    return [*run.table.split("train"), *run.table.transfer], run.table.split("validation")
