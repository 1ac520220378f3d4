"""How do rows become tensors? Ids with every task's control token, and one row of targets."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.encoding import chunks
from training.fit.network import ControlTokenClassifier
from training.rows.table import Row, Table
from training.run import Run

Example = dict[str, Any]
"""`input_ids` without control ids, `labels` and perhaps `teacher_logits`, of one row."""
Examples = Sequence[Example]

INFERENCE_ROWS = 256


def targets(table: Table, rows: Sequence[Row]) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]: 1 where the label holds, NaN where not labelled."""
    array = np.zeros((len(rows), table.heads.width), np.float32)
    for index, head in enumerate(table.heads):
        column = {label: place for place, label in enumerate(head.labels)}
        for row, line in zip(rows, head.of(array), strict=True):
            target = row.targets[index]
            if target is None:
                line[:] = np.nan
            else:
                line[[column[label] for label in target]] = 1
    return array


def examples(
    run: Run, rows: Sequence[Row], teacher_logits: NDArray[np.float32] | None = None
) -> list[Example]:
    """An example per row; `teacher_logits` [rows, labels of all tasks]."""
    columns: dict[str, Any] = {"input_ids": run.encode([row.text for row in rows])}
    columns["labels"] = targets(run.table, rows)
    if teacher_logits is not None:
        columns["teacher_logits"] = teacher_logits
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


@dataclass(frozen=True)
class Collator:
    """Append the control ids, pad to the longest row, stack."""

    control_ids: tuple[int, ...]

    def __call__(self, batch: Examples) -> dict[str, Tensor]:
        """int64 `input_ids` and `attention_mask` [rows, tokens], other columns [rows, ...]."""
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


@torch.no_grad()
def network_logits(network: ControlTokenClassifier, rows: Examples) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks], computed in batches of like length."""
    collate = Collator(tuple(network.control_ids.tolist()))
    lengths = [len(row["input_ids"]) for row in rows]
    logits = np.empty((len(rows), sum(network.shape.head_sizes)), np.float32)
    for places in chunks(lengths, INFERENCE_ROWS, sys.maxsize):
        batch = collate([rows[place] for place in places])
        logits[places] = network(batch["input_ids"], batch["attention_mask"]).numpy()
    return logits
