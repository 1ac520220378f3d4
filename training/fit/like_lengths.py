"""Which rows share a batch? Those of like length, so that little of it is padding.

The lengths are of the epoch: a typo splits a word into more pieces. A small table is sorted whole;
a sampler that sorts a few batches at a time leaves a third of a batch of 700 rows empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

MIXED = 2.0
"""Tokens by which rows of a batch may differ, where all lengths are as common."""


class LikeLengths(Sampler[int]):
    """Places of `examples`, batch after batch, drawn anew each epoch by torch's generator."""

    def __init__(self, examples: Sequence[dict[str, Any]], batch_size: int) -> None:
        self.examples = examples
        self.batch_size = batch_size

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[int]:
        count, size = len(self), self.batch_size
        lengths = torch.tensor([len(self.examples[n]["input_ids"]) for n in range(count)])
        order = (lengths + MIXED * torch.rand(count)).argsort()
        left = torch.randperm(count)[: count % size]  # of any length: they make the last batch
        is_left = torch.zeros(count, dtype=torch.bool).index_fill(0, left, True)
        batches = order[~is_left[order]].view(-1, size)
        yield from batches[torch.randperm(len(batches))].flatten().tolist()
        yield from left.tolist()
