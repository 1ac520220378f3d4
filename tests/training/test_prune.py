"""Do the heaviest neurons stay, and does the network still compute what it did without the rest?"""

from __future__ import annotations

import copy

import torch
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS
from training.network import ControlTokenClassifier
from training.prune import with_neurons

WIDTH = 1536


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
