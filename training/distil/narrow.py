"""How does a narrower student start? From the directions in which the teacher's words differ most.

A singular value decomposition of the teacher's word embeddings gives an orthonormal projection of
its hidden states; every matrix that reads or writes them is projected with it. Of the attention
heads the first are kept, of the feed-forward neurons those with the largest weights.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from training.fit.network import ControlTokenClassifier

WORDS = "encoder.embeddings.word_embeddings.weight"


@torch.no_grad()
def with_width(network: ControlTokenClassifier, width: int | None) -> ControlTokenClassifier:
    """`network` with hidden states of `width`, its heads as wide as before and so fewer."""
    encoder = network.shape.encoder
    before = encoder["hidden_size"]
    if width is None or width == before:
        return network
    sizes = {
        "hidden_size": width,
        "num_attention_heads": encoder["num_attention_heads"] * width // before,
        "intermediate_size": encoder["intermediate_size"] * width // before,
    }
    narrow = ControlTokenClassifier(replace(network.shape, encoder={**encoder, **sizes}))
    weights = network.state_dict()
    projection = torch.linalg.svd(weights[WORDS], full_matrices=False).Vh[:width].T
    narrow.load_state_dict(
        {
            name: _projected(name, value, weights, projection, sizes["intermediate_size"])
            for name, value in weights.items()
        }
    )
    return narrow


def _projected(
    name: str, value: Tensor, weights: dict[str, Tensor], projection: Tensor, neurons: int
) -> Tensor:
    """One tensor of the narrow network; `projection` [wide, narrow] maps hidden states."""
    width = projection.shape[1]
    # A layer norm makes hidden states of n axes sqrt(n) long: what reads them makes up for it.
    reading = projection * (projection.shape[0] / width) ** 0.5
    part, is_matrix = name.rpartition(".")[0], value.dim() == 2
    block = part.removesuffix(".intermediate.dense").removesuffix(".output.dense")
    if part.endswith(("self.query", "self.key", "self.value")):
        return value[:width] @ reading if is_matrix else value[:width]
    if part.endswith("attention.output.dense") and is_matrix:
        return projection.T @ value[:, :width]
    if part.endswith("intermediate.dense"):
        kept = value[_heaviest(weights, block, neurons)]
        return kept @ reading if is_matrix else kept
    if part.endswith("output.dense") and is_matrix:
        return projection.T @ value[:, _heaviest(weights, block, neurons)]
    if name.endswith("LayerNorm.weight"):  # a gain per axis: what is left of it on the new axes
        return (projection**2 * value[:, None]).sum(0)
    if name.startswith("heads."):
        return value @ reading if is_matrix else value
    return value @ projection  # embeddings, and biases that are added to hidden states


def _heaviest(weights: dict[str, Tensor], block: str, neurons: int) -> Tensor:
    """Ascending places of a layer's feed-forward neurons with the largest weights in and out."""
    read = weights[f"{block}.intermediate.dense.weight"].norm(dim=1)
    write = weights[f"{block}.output.dense.weight"].norm(dim=0)
    heaviest: Tensor = (read * write).topk(neurons).indices
    return heaviest.sort().values
