"""How is the base fine-tuned on the labels? With a head per task that starts at their shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.fit.batches import targets
from training.fit.network import ControlTokenClassifier, from_base
from training.fit.objective import Objective
from training.fit.schedule import teacher_epochs
from training.fit.trainer import fit
from training.run import Run


def run(run: Run, folder: Path) -> None:
    """The stage `teacher`: write the fine-tuned network to `folder`."""
    settings, train = run.recipe.teacher, run.table.split("train")
    torch.manual_seed(settings.seed)
    base, base_ids = run.encoder
    cls_id = run.tokenizer.encode("").ids[0]
    sizes = run.heads.sizes
    network = from_base(base, base_ids, cls_id, run.max_tokens, sizes, settings.attention)
    _start_heads(run, network)
    epochs = teacher_epochs(settings, len(train))
    fit(run, network, Objective(run.heads), train, settings, epochs, folder)


@torch.no_grad()
def _start_heads(run: Run, network: ControlTokenClassifier) -> None:
    """Start each head at its labels' log-shares in the training rows, or at their log-odds."""
    truth = targets(run.table, run.table.split("train"))
    for head, layer in zip(run.heads, network.task_heads, strict=True):
        assert isinstance(layer, torch.nn.Linear)
        target = head.of(truth)
        target = target[~np.isnan(target[:, 0])]
        share = torch.from_numpy((target.sum(0) + 0.5) / (len(target) + 1))
        torch.nn.init.normal_(layer.weight, std=0.02)
        layer.bias.copy_(share.log() if head.kind == "single" else share.logit())
