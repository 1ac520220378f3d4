"""How does the student learn? Cut from the teacher, fitted to soft targets and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from accelerate import PartialState

from training.distil.shrink import shrink
from training.distil.soft_targets import FILES, student_rows
from training.fit.batches import examples
from training.fit.network import load_network, save_network
from training.fit.objective import Objective
from training.fit.schedule import student_epochs
from training.fit.trainer import fit
from training.fit.typos import Misspelt
from training.run import Run


def run(run: Run, folder: Path) -> None:
    """The stage `student`: write the fitted network to `folder`."""
    settings = run.recipe.student
    network = shrink(load_network(run.work / "teacher"), settings)
    train, validation = student_rows(run)
    soft_train, soft_validation = (np.load(run.work / "soft" / name) for name in FILES)
    texts = [row.text for row in train]
    fit(
        network,
        Objective(run.heads, settings.temperature, settings.alpha),
        Misspelt(examples(run, train, soft_train), texts, settings.typos, run.encode),
        examples(run, validation, soft_validation),
        settings,
        student_epochs(run.recipe, len(run.table.split("train")), len(run.table.transfer)),
        folder / "checkpoints",
    )
    if PartialState().is_main_process:
        save_network(network, folder)
