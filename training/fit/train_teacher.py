"""How is the base fine-tuned on the labels? With heads that start where it needs no tuning.

A head starts as logistic regression on what it reads of the base before training, so fine-tuning
goes on from what the base knows of whole sentences instead of finding it again: with few rows it
would not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.fit.batches import examples, network_states, targets
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.logistic import fit_logistic, label_text
from training.fit.network import ControlTokenClassifier, from_base
from training.fit.objective import Objective
from training.fit.schedule import teacher_epochs
from training.fit.trainer import fit
from training.run import Run

STRENGTH = 30.0
"""Of the heads' start, for states of length 1."""
MOST_ROWS = 5_000
"""Training rows that the heads' start is fitted to."""


def run(run: Run, folder: Path) -> None:
    """The stage `teacher`: write the fine-tuned network to `folder`."""
    settings, train = run.recipe.teacher, run.table.split("train")
    torch.manual_seed(settings.seed)
    base, base_ids = run.encoder
    cls_id = run.tokenizer.encode("").ids[0]
    sizes = run.heads.sizes
    network = from_base(base, base_ids, cls_id, run.max_tokens, sizes, settings.attention, True)
    _start_heads(run, network)
    epochs = teacher_epochs(settings, len(train))
    fit(run, network, Objective(run.heads), train, settings, epochs, folder)


@torch.no_grad()
def _start_heads(run: Run, network: ControlTokenClassifier) -> None:
    """Start each head as logistic regression on the rows, and on the names of the labels."""
    train = run.table.split("train")
    train = train[:: 1 + len(train) // MOST_ROWS]
    truth = targets(run.table, train)
    network.eval()
    states = network_states(network, examples(run, train), has_fast_bfloat16())
    for place, (head, layer) in enumerate(zip(run.heads, network.task_heads, strict=True)):
        assert isinstance(layer, torch.nn.Linear)
        labelled = ~np.isnan(head.of(truth)[:, 0])
        ids = run.encode([label_text(label) for label in head.labels])
        names = network_states(network, [{"input_ids": row} for row in ids], has_fast_bfloat16())
        vectors = np.concatenate([states[labelled, place], names[:, place]])
        marks = np.concatenate([head.of(truth)[labelled] > 0, np.eye(len(ids), dtype=bool)])
        start = fit_logistic(
            head.kind, vectors, marks, STRENGTH / float((vectors**2).sum(1).mean())
        )
        layer.weight.copy_(torch.from_numpy(start.weight))
        layer.bias.copy_(torch.from_numpy(start.bias))
    network.train()
