"""What does the student learn from? Logits of its teachers on all text, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.distil.committee import combine, fit_weights
from training.distil.like_words import LikeWords
from training.distil.variants import variants
from training.fit.batches import examples, head_logits, network_states, targets
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import load_network
from training.fit.schedule import STUDENT_TEXTS, variant_count
from training.judge.frozen import fit_frozen
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

TRAIN, VALIDATION, WEIGHTS, STATES = "train.npy", "validation.npy", "weights.npy", "states.npy"
"""float32 [rows, labels of all tasks], of `student_rows` and of the validation split; the
committee's weights [tasks, members + 1]; where `student_rows` are few, float16 [rows, tasks, width]
of what the teacher's heads read."""


def run(run: Run, folder: Path) -> None:
    """The stage `soft`: write the teacher's logits, or the committee's, to `folder`."""
    network = load_network(run.work / "teacher")
    parts = {TRAIN: student_rows(run), VALIDATION: run.table.split("validation")}
    states = {
        name: network_states(network, examples(run, rows), has_fast_bfloat16())
        for name, rows in parts.items()
    }
    logits = {name: head_logits(network, part) for name, part in states.items()}
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
        np.save(folder / WEIGHTS, weights)
    for name, part in logits.items():
        np.save(folder / name, part)
    if len(parts[TRAIN]) <= STUDENT_TEXTS:
        np.save(folder / STATES, states[TRAIN].astype(np.float16))


def student_rows(run: Run) -> list[Row]:
    """All text that the student learns from, the labelled rows first."""
    train = run.table.split("train")
    return [*train, *run.table.transfer, *made_rows(run, train)]


def made_rows(run: Run, rows: Sequence[Row]) -> list[Row]:
    """Unlabelled rows whose texts are variants of those of `rows`, where these are few."""
    transfer = len(run.table.transfer)
    count = variant_count(run.recipe, len(rows), transfer, run.read_per_text)
    if not count:
        return []
    texts = variants([row.text for row in rows], count, LikeWords(run.base), run.recipe.data.seed)
    unlabelled = (None,) * len(run.table.tasks)
    return [Row(text, unlabelled, None, "", None, "variant") for text in texts]
