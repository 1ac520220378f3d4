"""How does a smaller student start? From the parts of the teacher that weigh most.

Layers: every so-many-th, the last one included. Neurons and attention heads: the heaviest; their
weight is the product of the norms of what they read with and what they write with. Whole parts
leave smaller matrices, which every runtime multiplies faster. Width: the directions in which the
teacher's words differ most. A singular value decomposition of its word embeddings gives an
orthonormal projection of the hidden states, and every matrix that reads or writes them is
projected with it; of the attention heads the first stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from training.fit.base_weights import Weights
from training.fit.gated_encoder import ATTENTION_NORMS
from training.fit.network import ControlTokenClassifier
from training.fit.schedule import is_deep, student_layers
from training.recipe import Student

WORDS = "encoder.embeddings.word_embeddings.weight"
LAYER = "encoder.encoder.layer."
INNER, OUTER = "intermediate.dense", "output.dense"
GATE = "intermediate.gate"
"""Of gated layers, whose neurons are products of INNER's and GATE's."""
PER_LAYER = ("layer_types", ATTENTION_NORMS)
"""Lists of the configuration, where it has them."""
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")
"""Of the configuration: a student that learns soft targets fits no noise, and learns the same
without, in less time."""
PROJECTIONS = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))


def shrink(teacher: ControlTokenClassifier, settings: Student, rows: int) -> ControlTokenClassifier:
    """An unfitted student of the recipe's shape for so many training rows, with the teacher's
    weights.

    Its heads read the control tokens' states alone, and where few rows train, as the teacher's, the
    mean of the text's, too.
    """
    none: dict[str, Any] = {key: 0.0 for key in DROPOUTS if key in teacher.shape.encoder}
    network = _rebuilt(teacher, teacher.state_dict(), pooled=is_deep(settings, rows), **none)
    layers = student_layers(settings, rows, teacher.shape.encoder["num_hidden_layers"])
    network = with_neurons(with_layers(network, layers), settings.feed_forward)
    return with_attention_heads(with_width(network, settings.width), settings.heads)


def with_layers(network: ControlTokenClassifier, count: int) -> ControlTokenClassifier:
    """The network with `count` of its layers, evenly spaced, the last one included."""
    depth = network.shape.encoder["num_hidden_layers"]
    places = [round((i + 1) * depth / count) - 1 for i in range(count)]
    new_number = {str(place): i for i, place in enumerate(places)}
    weights: Weights = {}
    for name, value in network.state_dict().items():
        if not name.startswith(LAYER):
            weights[name] = value
            continue
        number, _, part = name.removeprefix(LAYER).partition(".")
        if number in new_number:
            weights[f"{LAYER}{new_number[number]}.{part}"] = value
    encoder = network.shape.encoder
    lists: dict[str, Any] = {
        key: [encoder[key][place] for place in places] for key in PER_LAYER if key in encoder
    }
    return _rebuilt(network, weights, num_hidden_layers=count, **lists)


def with_neurons(network: ControlTokenClassifier, count: int | None) -> ControlTokenClassifier:
    """The network with the `count` heaviest feed-forward neurons of each layer; None: all."""
    if count is None or count == network.shape.encoder["intermediate_size"]:
        return network
    weights = network.state_dict()
    for layer in range(network.shape.encoder["num_hidden_layers"]):
        at = f"{LAYER}{layer}."
        neurons = _heaviest_neurons(weights, at, count)
        for name in _present(weights, at, (INNER, GATE)):
            weights[name] = weights[name][neurons]
        weights[f"{at}{OUTER}.weight"] = weights[f"{at}{OUTER}.weight"][:, neurons]
    return _rebuilt(network, weights, intermediate_size=count)


def with_attention_heads(
    network: ControlTokenClassifier, count: int | None
) -> ControlTokenClassifier:
    """The network with the `count` heaviest attention heads of each layer; None: all."""
    weights, encoder = network.state_dict(), network.shape.encoder
    heads = encoder["num_attention_heads"]
    if count is None or count >= heads:
        return network
    size = encoder["hidden_size"] // heads
    for layer in range(encoder["num_hidden_layers"]):
        at = f"{LAYER}{layer}."
        writes = weights[f"{at}attention.{OUTER}.weight"]
        reads = weights[f"{at}{PROJECTIONS[-1]}.weight"]
        norms = reads.view(heads, -1).norm(dim=1) * writes.T.reshape(heads, -1).norm(dim=1)
        rows = (_heaviest(norms, count)[:, None] * size + torch.arange(size)).flatten()
        weights[f"{at}attention.{OUTER}.weight"] = writes[:, rows]
        for name in _present(weights, at, PROJECTIONS):
            weights[name] = weights[name][rows]
    return _rebuilt(network, weights, count)


@torch.no_grad()
def with_width(network: ControlTokenClassifier, width: int | None) -> ControlTokenClassifier:
    """The network with hidden states of `width`, its heads as wide as before and so fewer."""
    encoder, weights = network.shape.encoder, network.state_dict()
    before = encoder["hidden_size"]
    if width is None or width == before:
        return network
    sizes = {
        "hidden_size": width,
        "num_attention_heads": encoder["num_attention_heads"] * width // before,
        "intermediate_size": encoder["intermediate_size"] * width // before,
    }
    projection = torch.linalg.svd(weights[WORDS], full_matrices=False).Vh[:width].T
    projected = {
        name: _projected(name, value, weights, projection, sizes["intermediate_size"])
        for name, value in weights.items()
    }
    return _rebuilt(network, projected, **sizes)


def _projected(
    name: str, value: Tensor, weights: Weights, projection: Tensor, neurons: int
) -> Tensor:
    """One tensor of the narrow network; `projection` [wide, narrow] maps hidden states."""
    width = projection.shape[1]
    # A layer norm makes hidden states of n axes sqrt(n) long: what reads them makes up for it.
    reading = projection * (projection.shape[0] / width) ** 0.5
    part, is_matrix = name.rpartition(".")[0], value.dim() == 2
    at = part.removesuffix(INNER).removesuffix(GATE).removesuffix(OUTER)
    if part.endswith(PROJECTIONS):
        return value[:width] @ reading if is_matrix else value[:width]
    if part.endswith(f"attention.{OUTER}") and is_matrix:
        return projection.T @ value[:, :width]
    if part.endswith((INNER, GATE)):
        rows = value[_heaviest_neurons(weights, at, neurons)]
        return rows @ reading if is_matrix else rows
    if part.endswith(OUTER) and is_matrix:
        return projection.T @ value[:, _heaviest_neurons(weights, at, neurons)]
    if name.endswith("LayerNorm.weight"):  # a gain per axis: what is left of it on the new axes
        return (projection**2 * value[:, None]).sum(0)
    if name.startswith("task_heads."):
        return value @ reading if is_matrix else value
    return value @ projection  # embeddings, and biases that are added to hidden states


def _heaviest_neurons(weights: Weights, at: str, count: int) -> Tensor:
    """Ascending places of the `count` heaviest neurons of the layer whose names start with `at`."""
    norms = weights[f"{at}{OUTER}.weight"].norm(dim=0)
    for part in (INNER, GATE):
        if f"{at}{part}.weight" in weights:
            norms = norms * weights[f"{at}{part}.weight"].norm(dim=1)
    return _heaviest(norms, count)


def _present(weights: Weights, at: str, parts: Sequence[str]) -> list[str]:
    """Weights and biases of a layer's `parts`; some networks have no biases."""
    names = (f"{at}{part}.{kind}" for part in parts for kind in ("weight", "bias"))
    return [name for name in names if name in weights]


def _heaviest(norms: Tensor, count: int) -> Tensor:
    """Ascending places of the `count` largest."""
    return norms.topk(count).indices.sort().values


def _rebuilt(
    network: ControlTokenClassifier,
    weights: Weights,
    attention_heads: int | None = None,
    pooled: bool | None = None,
    **encoder: Any,
) -> ControlTokenClassifier:
    """A network of the same shape but for what is given."""
    shape = network.shape
    shape = replace(
        shape,
        encoder={**shape.encoder, **encoder},
        attention_heads=attention_heads or shape.attention_heads,
        pooled=shape.pooled if pooled is None else pooled,
    )
    smaller = ControlTokenClassifier(shape)
    smaller.load_state_dict(weights)
    return smaller
