"""How do rows become tensors? Ids with every task's control token, and one row of targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from training.rows import Row, Table

Example = dict[str, Any]


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


@dataclass(frozen=True)
class Collator:
    """Append the control ids, pad to the longest row, stack."""

    control_ids: tuple[int, ...]

    def __call__(self, batch: list[Example]) -> dict[str, Tensor]:
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
