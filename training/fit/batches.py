"""How do rows become tensors? Ids with every task's control token, and one row of targets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.encoding import chunks, graph_inputs
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
    run: Run,
    rows: Sequence[Row],
    teacher_logits: NDArray[np.float32] | None = None,
    teacher_states: NDArray[np.floating] | None = None,
) -> list[Example]:
    """An example per row; `teacher_logits` [rows, labels of all tasks], `teacher_states` [rows,
    tasks, width]."""
    columns: dict[str, Any] = {"input_ids": run.encode([row.text for row in rows])}
    columns["labels"] = targets(run.table, rows)
    if teacher_logits is not None:
        columns["teacher_logits"] = teacher_logits
    if teacher_states is not None:
        columns["teacher_states"] = teacher_states
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def collate(batch: Examples, control_ids: list[int]) -> dict[str, Tensor]:
    """int64 `input_ids`, control ids appended, and `attention_mask` [rows, tokens]; other columns
    [rows, ...]."""
    inputs = graph_inputs([example["input_ids"] for example in batch], control_ids).numpy()
    rest = {
        key: np.stack([example[key] for example in batch]) for key in batch[0] if key != "input_ids"
    }
    return {key: torch.from_numpy(array) for key, array in {**inputs, **rest}.items()}


def network_logits(
    network: ControlTokenClassifier, rows: Examples, bf16: bool = False
) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks], computed in batches of like length.

    `bf16`: to two or three digits, in a quarter of the time where bfloat16 is done in hardware.
    """
    return _computed(network, network, rows, (sum(network.shape.head_sizes),), bf16)


def network_states(
    network: ControlTokenClassifier, rows: Examples, bf16: bool = False
) -> NDArray[np.float32]:
    """float32 [rows, tasks, width]: what each task's head reads."""
    shape = len(network.shape.head_sizes), int(network.shape.encoder["hidden_size"])
    return _computed(network, network.states, rows, shape, bf16)


@torch.no_grad()
def head_logits(
    network: ControlTokenClassifier, states: NDArray[np.float32]
) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks] of `states` [rows, tasks, width]."""
    by_task = torch.from_numpy(states).unbind(1)
    parts = [head(part) for head, part in zip(network.task_heads, by_task, strict=True)]
    return np.asarray(torch.cat(parts, dim=1).numpy(), np.float32)


@torch.no_grad()
def _computed(
    network: ControlTokenClassifier,
    compute: Callable[[Tensor, Tensor], Tensor],
    rows: Examples,
    shape: tuple[int, ...],
    bf16: bool,
) -> NDArray[np.float32]:
    """float32 [rows, *shape] of `compute` on input ids and attention mask, in batches."""
    control_ids: list[int] = network.control_ids.tolist()
    lengths = [len(row["input_ids"]) for row in rows]
    computed = np.empty((len(rows), *shape), np.float32)
    for places in chunks(lengths, INFERENCE_ROWS, sys.maxsize):
        batch = collate([rows[place] for place in places], control_ids)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            part = compute(batch["input_ids"], batch["attention_mask"])
        computed[places] = part.float().numpy()
    return computed
