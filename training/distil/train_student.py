"""How does the student learn? Cut from the teacher, fitted to soft targets and labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from accelerate import PartialState
from numpy.typing import NDArray

from training.distil.shrink import shrink
from training.distil.soft_targets import STATES, TRAIN, VALIDATION, student_rows
from training.fit.network import ControlTokenClassifier, load_network, save_network
from training.fit.objective import Objective
from training.fit.schedule import student_epochs, student_rate
from training.fit.stored_embeddings import stored_embeddings
from training.fit.trainer import fit
from training.run import Run


def run(run: Run, folder: Path) -> None:
    """The stage `student`: write the fitted network to `folder`."""
    settings, train = run.recipe.student, run.table.split("train")
    network = shrink(load_network(run.work / "teacher"), settings, len(train))
    settings = replace(settings, learning_rate=student_rate(settings, len(train)))
    objective = Objective(run.heads, settings.temperature, settings.alpha)
    rows = student_rows(run)
    epochs = student_epochs(run.recipe, len(train), len(rows), run.read_per_text)
    soft = np.load(run.work / "soft" / TRAIN), np.load(run.work / "soft" / VALIDATION)
    with stored_embeddings(network, run.recipe.quantize.embedding_bits):
        fit(run, network, objective, rows, settings, epochs, folder, soft, _states(run, network))
    if PartialState().is_main_process:
        save_network(network, folder)


def _states(run: Run, network: ControlTokenClassifier) -> NDArray[np.float16] | None:
    """What the teacher's heads read, [rows, tasks, width]; None of many rows or another width.

    A student that takes few steps gains from them; one that takes many needs the logits alone.
    """
    path = run.work / "soft" / STATES
    states: NDArray[np.float16] | None = np.load(path) if path.is_file() else None
    if states is None or states.shape[-1] != network.shape.encoder["hidden_size"]:
        return None
    return states
