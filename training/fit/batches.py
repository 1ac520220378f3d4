"""How do rows become tensors? Ids with every task's control token, and one row of targets."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from training.fit.typos import misspell
from training.rows.table import Row, Table

Example = dict[str, Any]
Examples = Sequence[Example]


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Ids of `[CLS] text [SEP]`, a long text cut before its [SEP]."""
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    return [ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]] for ids in rows]


def targets(table: Table, rows: Sequence[Row]) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]: 1 where the label holds, NaN where not labelled."""
    width = sum(map(len, table.labels))
    array = np.zeros((len(rows), width), np.float32)
    start = 0
    for index, labels in enumerate(table.labels):
        column = {label: start + place for place, label in enumerate(labels)}
        for row, line in zip(rows, array, strict=True):
            target = row.targets[index]
            if target is None:
                line[start : start + len(labels)] = np.nan
            else:
                line[[column[label] for label in target]] = 1
        start += len(labels)
    return array


def examples(
    ids: list[list[int]],
    labels: NDArray[np.float32],
    teacher_logits: NDArray[np.float32] | None = None,
) -> list[Example]:
    extra = {} if teacher_logits is None else {"teacher_logits": teacher_logits}
    columns = {"input_ids": ids, "labels": labels, **extra}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


class Misspelt:
    """The examples of `texts`, a `share` of them read anew with a typo each time."""

    def __init__(
        self,
        examples: Examples,
        texts: Sequence[str],
        share: float,
        encode: Callable[[Sequence[str]], list[list[int]]],
    ) -> None:
        self.examples, self.texts, self.share, self.encode = examples, texts, share, encode

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> Example:
        example = self.examples[place]
        if float(torch.rand(())) >= self.share:  # torch's generator: a checkpoint keeps its state
            return example
        dice = random.Random(int(torch.randint(2**31, ())))
        return {**example, "input_ids": self.encode([misspell(self.texts[place], dice)])[0]}


@dataclass(frozen=True)
class Collator:
    """Append the control ids, pad to the longest row, stack."""

    control_ids: tuple[int, ...]

    def __call__(self, batch: Examples) -> dict[str, Tensor]:
        tail = list(self.control_ids)
        longest = max(len(example["input_ids"]) for example in batch) + len(tail)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, example in enumerate(batch):
            row_ids = torch.tensor(example["input_ids"] + tail)
            ids[row, : len(row_ids)] = row_ids
            mask[row, : len(row_ids)] = 1
        rest = {
            key: torch.from_numpy(np.stack([example[key] for example in batch]))
            for key in batch[0]
            if key != "input_ids"
        }
        return {"input_ids": ids, "attention_mask": mask, **rest}
