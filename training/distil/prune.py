"""Which parts of a network can go? The neurons and attention heads that weigh least.

Whole neurons and heads leave smaller matrices, which every runtime multiplies faster. Their weight
is the product of the norms of what they read with and what they write with. Single weights can go
too, while the network is fitted; their zeros are multiplied like any other number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.fit.network import ControlTokenClassifier, Shape

INNER, OUTER = "intermediate.dense", "output.dense"
PROJECTIONS = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
BEGINS, ENDS = 0.1, 0.7  # of the fit: between them the share of zeros rises
EVERY = 20  # steps from one choice of zeros to the next


def with_neurons(network: ControlTokenClassifier, count: int | None) -> ControlTokenClassifier:
    """The network with the `count` heaviest feed-forward neurons of each layer; None: all."""
    weights = network.state_dict()
    if count is None or count == network.shape.encoder["intermediate_size"]:
        return network
    for layer in range(network.shape.encoder["num_hidden_layers"]):
        at = f"encoder.encoder.layer.{layer}."
        reads, writes = weights[f"{at}{INNER}.weight"], weights[f"{at}{OUTER}.weight"]
        kept = _heaviest(reads.norm(dim=1) * writes.norm(dim=0), count)
        weights[f"{at}{INNER}.weight"] = reads[kept]
        weights[f"{at}{INNER}.bias"] = weights[f"{at}{INNER}.bias"][kept]
        weights[f"{at}{OUTER}.weight"] = writes[:, kept]
    encoder = {**network.shape.encoder, "intermediate_size": count}
    return _rebuilt(replace(network.shape, encoder=encoder), weights)


def with_heads(network: ControlTokenClassifier, count: int | None) -> ControlTokenClassifier:
    """The network with the `count` heaviest attention heads of each layer; None: all."""
    weights, encoder = network.state_dict(), network.shape.encoder
    heads = encoder["num_attention_heads"]
    if count is None or count >= heads:
        return network
    size = encoder["hidden_size"] // heads
    for layer in range(encoder["num_hidden_layers"]):
        at = f"encoder.encoder.layer.{layer}."
        writes = weights[f"{at}attention.{OUTER}.weight"]
        reads = weights[f"{at}{PROJECTIONS[-1]}.weight"]
        norms = reads.view(heads, -1).norm(dim=1) * writes.T.reshape(heads, -1).norm(dim=1)
        kept = _heaviest(norms, count)
        rows = (kept[:, None] * size + torch.arange(size)).flatten()
        weights[f"{at}attention.{OUTER}.weight"] = writes[:, rows]
        for name in (f"{at}{part}.{kind}" for part in PROJECTIONS for kind in ("weight", "bias")):
            weights[name] = weights[name][rows]
    return _rebuilt(replace(network.shape, heads=count), weights)


class GradualPruning(TrainerCallback):
    """Sets the smallest weights of every matrix to zero, more and more (Zhu and Gupta, 2017).

    `sparsity`: the share of zeros that the fit ends with.
    """

    def __init__(self, network: ControlTokenClassifier, sparsity: float) -> None:
        layers = network.encoder.encoder.layer
        self.matrices = [part.weight for part in layers.modules() if hasattr(part, "in_features")]
        self.sparsity = sparsity
        self.share = -1.0
        self.masks: list[Tensor] = []

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        done = (state.global_step / state.max_steps - BEGINS) / (ENDS - BEGINS)
        share = self.sparsity * (1 - (1 - min(max(done, 0.0), 1.0)) ** 3)
        due = state.global_step % EVERY == 0 or done >= 1 or not self.masks
        if due and share > self.share:
            self.share = share
            self.masks = [_largest(weight, 1 - share) for weight in self.matrices]
        for weight, mask in zip(self.matrices, self.masks, strict=True):
            weight.mul_(mask)


def _largest(weight: Tensor, share: float) -> Tensor:
    """Where the `share` of largest absolute weights are."""
    smallest = weight.numel() - round(share * weight.numel())
    if smallest == 0:
        return torch.ones_like(weight, dtype=torch.bool)
    return weight.abs() > weight.abs().flatten().kthvalue(smallest).values


def _heaviest(weight: Tensor, count: int) -> Tensor:
    """Places of the `count` largest, in their order."""
    return weight.topk(count).indices.sort().values


def _rebuilt(shape: Shape, weights: dict[str, Tensor]) -> ControlTokenClassifier:
    smaller = ControlTokenClassifier(shape)
    smaller.load_state_dict(weights)
    return smaller
