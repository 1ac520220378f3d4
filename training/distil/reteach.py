"""What do further rows teach a student that had few? What its teachers make of them.

A student that is fitted on to all rows learns these rows, and little else. Where a tenth of the
rows were held out of a few hundred, that is much to miss: so the teachers are fitted on to all rows
first, and what they then make of all text is what the student goes on learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.distil.committee import combine
from training.distil.label_targets import Logits
from training.distil.soft_targets import WEIGHTS
from training.fit.batches import examples, head_logits, network_logits, network_states
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.network import SHAPE, ControlTokenClassifier, load_network
from training.fit.objective import Objective
from training.fit.trainer import fit
from training.judge.frozen import fit_frozen
from training.judge.linear import fit_linear
from training.rows.table import Row
from training.run import Run

FEW = 3000
"""Rows up to which it is worth the time."""
EPOCHS, LEARNING_RATE = 3, 1e-4


def is_reteachable(run: Run, network: ControlTokenClassifier, rows: Sequence[Row]) -> bool:
    """Whether `network`, a student as wide as its teacher, had a committee and few rows."""
    width = load_network(run.work / "teacher").shape.encoder["hidden_size"]
    is_as_wide = network.shape.encoder["hidden_size"] == width
    return len(rows) <= FEW and run.recipe.student.committee and bool(is_as_wide)


def reteach(
    run: Run,
    network: ControlTokenClassifier,
    rows: Sequence[Row],
    texts: Sequence[Row],
    folder: Path,
) -> tuple[Logits, Logits]:
    """What teachers of all `rows` make of `texts`: logits [texts, labels of all tasks], and what
    the network's heads read [texts, tasks, width].

    `network` is the corrected student: its biases are added, and a task for which it has offsets
    is answered by it. `folder` is for the teacher while it is fitted, and to be removed later.
    """
    teacher = load_network(run.work / "teacher")
    if not (folder / SHAPE).is_file():
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
