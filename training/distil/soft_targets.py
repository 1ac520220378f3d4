"""What does the student learn from? Logits of its teachers on all text, computed once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.distil.committee import combine, fit_weights
from training.distil.like_words import LikeWords
from training.distil.variants import variants
from training.fit.batches import examples, network_logits, targets
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import load_network
from training.fit.schedule import variant_count
from training.judge.frozen import fit_frozen
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

TRAIN, VALIDATION = "train.npy", "validation.npy"
"""float32 [rows, labels of all tasks], of `student_rows` and of the validation split."""


def run(run: Run, folder: Path) -> None:
    """The stage `soft`: write the teacher's logits, or the committee's, to `folder`."""
    network = load_network(run.work / "teacher")
    parts = {TRAIN: student_rows(run), VALIDATION: run.table.split("validation")}
    logits = {
        name: network_logits(network, examples(run, rows), has_fast_bfloat16())
        for name, rows in parts.items()
    }
    if run.recipe.student.committee:
        linear, frozen = fit_linear(run.table), fit_frozen(run)
        texts = {name: [row.text for row in rows] for name, rows in parts.items()}
        members = {
            name: (logits[name], frozen.logits(part), linear.decision_values(part))
            for name, part in texts.items()
        }
        truth = targets(run.table, parts[VALIDATION])
        weights = fit_weights(run.heads, members[VALIDATION], truth)
        logits = {name: combine(weights, run.heads, pair) for name, pair in members.items()}
    for name, part in logits.items():
        np.save(folder / name, part)


def student_rows(run: Run) -> list[Row]:
    """All text that the student learns from, the labelled rows first."""
    return [*run.table.split("train"), *run.table.transfer, *made_rows(run)]


def made_rows(run: Run) -> list[Row]:
    """Unlabelled rows whose texts are variants of the training texts, where these are few."""
    train = run.table.split("train")
    transfer = len(run.table.transfer)
    count = variant_count(run.recipe, len(train), transfer, run.read_per_text)
    if not count:
        return []
    texts = variants([row.text for row in train], count, LikeWords(run.base), run.recipe.data.seed)
    unlabelled = (None,) * len(run.table.tasks)
    return [Row(text, unlabelled, None, "", None, "variant") for text in texts]
