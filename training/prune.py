"""Which parts of a network can go? The feed-forward neurons that weigh least.

Whole neurons leave smaller matrices, which every runtime multiplies faster. A neuron's weight is
the product of the norms of what it reads with and what it writes with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from training.network import ControlTokenClassifier

INNER, OUTER = "intermediate.dense", "output.dense"


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
    return _rebuilt(network, weights, {"intermediate_size": count})


def _heaviest(weight: Tensor, count: int) -> Tensor:
    """Places of the `count` largest, in their order."""
    return weight.topk(count).indices.sort().values


def _rebuilt(
    network: ControlTokenClassifier, weights: dict[str, Tensor], sizes: dict[str, Any]
) -> ControlTokenClassifier:
    encoder = {**network.shape.encoder, **sizes}
    smaller = ControlTokenClassifier(replace(network.shape, encoder=encoder))
    smaller.load_state_dict(weights)
    return smaller
