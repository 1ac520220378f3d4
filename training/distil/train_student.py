"""How does the student learn? Cut from the teacher, fitted to soft targets and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from accelerate import PartialState

from training.distil.shrink import shrink
from training.distil.soft_targets import TRAIN, VALIDATION, student_rows
from training.fit.network import load_network, save_network
from training.fit.objective import Objective
from training.fit.schedule import student_epochs
from training.fit.stored_embeddings import stored_embeddings
from training.fit.trainer import fit
from training.run import Run


def run(run: Run, folder: Path) -> None:
    """The stage `student`: write the fitted network to `folder`."""
    settings = run.recipe.student
    network = shrink(load_network(run.work / "teacher"), settings)
    objective = Objective(run.heads, settings.temperature, settings.alpha)
    rows = student_rows(run)
    labelled = len(run.table.split("train"))
    epochs = student_epochs(run.recipe, labelled, len(rows), run.read_per_text)
    soft = np.load(run.work / "soft" / TRAIN), np.load(run.work / "soft" / VALIDATION)
    with stored_embeddings(network, run.recipe.quantize.embedding_bits):
        fit(run, network, objective, rows, settings, epochs, folder, soft)
    if PartialState().is_main_process:
        save_network(network, folder)
