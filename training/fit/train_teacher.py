"""How is the base fine-tuned on the labels? With a head per task that starts at their shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.fit.batches import targets
from training.fit.network import (
    ControlTokenClassifier,
    Shape,
    encoder_config,
    from_base,
)
from training.fit.objective import Objective
from training.fit.schedule import teacher_epochs
from training.fit.trainer import fit
from training.run import Run


def run(run: Run, folder: Path) -> None:
    """The stage `teacher`: write the fine-tuned network to `folder`."""
    settings, train = run.recipe.teacher, run.table.split("train")
    network, epochs = _untrained(run, settings.attention), teacher_epochs(settings, len(train))
    fit(run, network, Objective(run.heads), train, settings, epochs, folder)


def _untrained(run: Run, attention: str) -> ControlTokenClassifier:
    torch.manual_seed(run.recipe.teacher.seed)
    base, base_ids = run.encoder
    pieces = len(base_ids)
    config = encoder_config(base, pieces, len(run.heads), run.max_tokens)
    shape = Shape(config, pieces, run.max_tokens, run.heads.sizes, attention)
    network = from_base(base, base_ids, run.tokenizer.encode("").ids[0], shape)
    network.start_heads_at(_label_biases(run))
    return network


def _label_biases(run: Run) -> list[torch.Tensor]:
    """Of each task [labels]: log-shares of its labels in training rows, or their log-odds."""
    truth, biases = targets(run.table, run.table.split("train")), []
    for head in run.heads:
        target = head.of(truth)
        target = target[~np.isnan(target[:, 0])]
        share = torch.from_numpy((target.sum(0) + 0.5) / (len(target) + 1))
        biases.append(share.log() if head.kind == "single" else share.logit())
    return biases
