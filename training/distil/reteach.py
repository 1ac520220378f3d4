"""How does what ships come to know every row of a small table? It is taught anew.

A student that is fitted on to all rows learns these rows, and little else. Where a tenth of the
rows were held out of a few hundred, that is much to miss: so the teachers are fitted on to all rows
first, and a new student learns what they then make of all text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState

from training.distil.committee import combine
from training.distil.label_targets import Logits
from training.distil.shrink import shrink
from training.distil.soft_targets import WEIGHTS
from training.fit.batches import examples, head_logits, network_logits, network_states
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import SHAPE, ControlTokenClassifier, load_network, save_network
from training.fit.objective import Objective
from training.fit.schedule import FEW_ROWS, student_epochs
from training.fit.stored_embeddings import stored_embeddings
from training.fit.trainer import fit
from training.judge.frozen import fit_frozen
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

EPOCHS, LEARNING_RATE = 3, 1e-4
TEACHER, STUDENT = "teacher", "new-student"
"""Folders of the stage, removed at its end."""


def is_taught_anew(run: Run) -> bool:
    """Whether so few rows train; the student is then as wide as the teacher and had a committee."""
    student, train = run.recipe.student, run.table.split("train")
    return len(train) <= FEW_ROWS and student.committee and student.width is None


def taught(
    run: Run,
    network: ControlTokenClassifier,
    rows: Sequence[Row],
    texts: Sequence[Row],
    folder: Path,
) -> tuple[Logits, Logits]:
    """What teachers of all `rows` make of `texts`: logits [texts, labels of all tasks], and what
    the network's heads read [texts, tasks, width].

    `network` is the corrected held-out student: its biases are added, and a task for which it has
    offsets is answered by it. `folder` is for the teacher.
    """
    if not (folder / SHAPE).is_file():
        teacher = load_network(run.work / "teacher")
        settings = replace(run.recipe.teacher, learning_rate=LEARNING_RATE, steps=None)
        fit(run, teacher, Objective(run.heads), rows, settings, EPOCHS, folder)
    teacher = load_network(folder)
    parts, plain = examples(run, texts), [row.text for row in texts]
    states = network_states(teacher, parts, has_fast_bfloat16())
    members = (
        head_logits(teacher, states),
        fit_frozen(run).fitted_to(run, rows).logits(plain),
        fit_linear(run.table).decision_values(plain),
    )
    logits = combine(list(np.load(run.work / "soft" / WEIGHTS)), run.heads, members)
    answers = network_logits(network, parts, has_fast_bfloat16())
    return _as_corrected(run, network, logits, answers), states


def new_student(
    run: Run, texts: Sequence[Row], soft: Logits, states: Logits, folder: Path, bits: int
) -> ControlTokenClassifier:
    """A student of the teacher in `folder`, fitted to `soft` and `states`, as `taught` has them.

    `bits`: of its word embeddings, as what ships has them.
    """
    part, settings, train = folder / STUDENT, run.recipe.student, run.table.split("train")
    if not (part / SHAPE).is_file():
        student = shrink(load_network(folder / TEACHER), settings, len(train))
        epochs = student_epochs(run.recipe, len(train), len(texts), run.read_per_text)
        objective = Objective(run.heads, alpha=1.0)
        with stored_embeddings(student, bits):
            fit(run, student, objective, texts, settings, epochs, part, (soft, None), states)
        if PartialState().is_main_process:
            save_network(student, part)
    PartialState().wait_for_everyone()
    return load_network(part)


def _as_corrected(
    run: Run, network: ControlTokenClassifier, logits: Logits, answers: Logits
) -> Logits:
    """`logits` with what was done to the student's heads after its training."""
    before, offsets = load_network(run.work / "student"), run.facts("export")["student"]
    for head, old, new in zip(run.heads, before.task_heads, network.task_heads, strict=True):
        assert isinstance(old, torch.nn.Linear)
        assert isinstance(new, torch.nn.Linear)
        if offsets.get(head.name):
            head.of(logits)[:] = head.of(answers)
        else:
            head.of(logits)[:] += (new.bias - old.bias).detach().numpy()
    return logits
