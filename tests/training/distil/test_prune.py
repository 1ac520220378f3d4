"""Do the heaviest neurons stay, and does the network still compute what it did without the rest?"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS
from training.distil.prune import GradualPruning, with_heads, with_neurons
from training.fit.batches import Misspelt
from training.fit.network import ControlTokenClassifier, load_network, save_network
from training.fit.objective import Objective
from training.fit.trainer import fit
from training.recipe import Student

WIDTH, HEADS, HEAD = 1536, 12, 32


def inputs(network: ControlTokenClassifier, tokenizer: Tokenizer) -> tuple[torch.Tensor, ...]:
    first = network.shape.first_control_id
    ids = torch.tensor([[*tokenizer.encode(TEXTS[0]).ids, first, first + 1, first + 2]])
    return ids, torch.ones_like(ids)


@torch.no_grad()
def test_neurons_that_write_nothing_can_go(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    network = copy.deepcopy(network)
    for layer in network.encoder.encoder.layer:
        layer.output.dense.weight[:, ::2] = 0
    smaller = with_neurons(network, WIDTH // 2).eval()
    assert smaller.encoder.encoder.layer[0].intermediate.dense.weight.shape == (WIDTH // 2, 384)
    assert smaller.shape.encoder["intermediate_size"] == WIDTH // 2
    row = inputs(network, tokenizer)
    torch.testing.assert_close(smaller(*row), network(*row), rtol=1e-4, atol=1e-5)
    assert with_neurons(network, None) is network


@torch.no_grad()
def test_heads_that_write_nothing_can_go(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    network = copy.deepcopy(network)
    for layer in network.encoder.encoder.layer:
        layer.attention.output.dense.weight.view(384, HEADS, HEAD)[:, 1::3] = 0
    smaller = with_heads(network, HEADS * 2 // 3).eval()
    query = smaller.encoder.encoder.layer[0].attention.self.query
    assert query.weight.shape == (HEADS * 2 // 3 * HEAD, 384)
    row = inputs(network, tokenizer)
    torch.testing.assert_close(smaller(*row), network(*row), rtol=1e-4, atol=1e-5)
    assert with_heads(network, None) is network


def test_what_is_fitted_with_fewer_heads_loads_again(
    network: ControlTokenClassifier, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    smaller = with_heads(network, 4).eval()
    save_network(smaller, tmp_path)
    row = inputs(network, tokenizer)
    torch.testing.assert_close(load_network(tmp_path)(*row), smaller(*row))


def test_a_fit_ends_with_the_share_of_zeros_that_was_asked_for(
    network: ControlTokenClassifier, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    network = copy.deepcopy(network)
    ids = tokenizer.encode(TEXTS[0]).ids
    labels = np.ones(sum(network.shape.head_sizes), np.float32)
    rows = [{"input_ids": ids, "labels": labels}] * 8
    sizes = network.shape.head_sizes
    fit(
        network,
        Objective(("multi",) * len(sizes), sizes),
        Misspelt(rows, [TEXTS[0]] * 8, 0.0, lambda texts: [ids]),
        rows,
        Student(steps=25, batch_size=4),
        1,
        tmp_path / "checkpoints",
        [GradualPruning(network, 0.6)],
    )
    for layer in network.encoder.encoder.layer:
        for part in (layer.attention.self.query, layer.output.dense):
            zeros = (part.weight == 0).float().mean()
            assert abs(zeros - 0.6) < 0.01
