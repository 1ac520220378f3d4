"""Word embeddings as the bundle stores them: the network learns with what it will have.

In int8 a bundle's word embeddings are rows of 4-bit integers with a scale each, by far the coarsest
of its weights. While a student is fitted, what it reads is rounded so, and the gradient goes
through to the exact weights (Bengio, Leonard and Courville, 2013: straight-through). At the end
the weights themselves are rounded, which the quantizer then finds to be exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from training.fit.network import ControlTokenClassifier
from training.fit.rounding import CLIPS, limit_of

EXACT_BITS = 8
"""From which on rounding does not show."""


@contextmanager
def stored_embeddings(network: ControlTokenClassifier, bits: int) -> Iterator[None]:
    """Word embeddings are read as `bits` hold them; afterwards the weights are those."""
    table: Any = network.encoder.get_input_embeddings()
    if bits >= EXACT_BITS:
        yield
        return

    def as_stored(_: Any, __: Any, read: Tensor) -> Tensor:
        return read + (rounded(read.detach(), bits) - read.detach())

    hook = table.register_forward_hook(as_stored)
    try:
        yield
    finally:
        hook.remove()
    with torch.no_grad():
        table.weight.copy_(rounded(table.weight, bits))


def rounded(rows: Tensor, bits: int) -> Tensor:
    """float [..., width]: each row's multiples of one scale, as training/fit/rounding.py."""
    limit = limit_of(bits)
    largest = rows.abs().amax(-1, keepdim=True).clamp(min=1e-12)
    best, nearest = torch.full_like(largest, torch.inf), torch.zeros_like(rows)
    for clip in CLIPS:
        scale = largest * clip / limit
        tried = (rows / scale).round().clamp(-limit, limit) * scale
        error = (tried - rows).square().sum(-1, keepdim=True)
        nearest = torch.where(error < best, tried, nearest)
        best = torch.minimum(best, error)
    return nearest
