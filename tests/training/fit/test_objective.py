"""Each head averages over its own labelled rows, however an optimizer step is cut into batches."""

import copy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit, log_softmax
from torch import Tensor
from transformers import TrainerCallback

from tests.training.conftest import HEAD_SIZES, heads_of
from training.fit.batches import Example, collate
from training.fit.network import ControlTokenClassifier
from training.fit.objective import Objective
from training.fit.trainer import HeadTrainer, fit_arguments
from training.recipe import Fitting

KINDS = ("single", "single", "multi")
HEADS = heads_of(*zip(KINDS, HEAD_SIZES, strict=True))


def ragged_examples(count: int = 8) -> list[Example]:
    """Rows of unlike length, each head labelled on a few of them only."""
    rng = np.random.default_rng(1)
    rows = []
    for place in range(count):
        labels = np.concatenate([np.eye(n, dtype=np.float32)[rng.integers(n)] for n in HEAD_SIZES])
        start = 0
        for head, size in enumerate(HEAD_SIZES):
            if (place + head) % (head + 2):
                labels[start : start + size] = np.nan
            start += size
        ids = [2, *rng.integers(5, 900, 2 + place % 4).tolist(), 3]
        rows.append({"input_ids": ids, "labels": labels})
    return rows


class KeepGradients(TrainerCallback):
    def __init__(self) -> None:
        self.steps: list[dict[str, Tensor]] = []

    def on_pre_optimizer_step(self, *_: Any, **state: Any) -> None:
        model: torch.nn.Module = state["model"]
        self.steps.append(
            {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        )


def gradients(
    network: ControlTokenClassifier,
    rows: list[Example],
    batch: int,
    steps: int,
    folder: Path,
    objective: Objective | None = None,
) -> dict[str, Tensor]:
    """The gradients of one optimizer step over `rows`, through the real Trainer."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    settings = Fitting(
        learning_rate=0.0, batch_size=batch, accumulation_steps=steps, piece_dropout=0.0, typos=0.0
    )
    keep = KeepGradients()
    arguments = fit_arguments(settings, 1, len(rows), folder, bf16=False)
    arguments.max_grad_norm, arguments.save_strategy = 0.0, "no"
    arguments.train_sampling_strategy = "sequential"
    trainer = HeadTrainer(
        objective or Objective(HEADS),
        model=network,
        args=arguments,
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=partial(collate, control_ids=network.control_ids.tolist()),
        callbacks=[keep],
    )
    trainer.train()
    assert len(keep.steps) == 1
    read = sum(len(row["input_ids"]) + len(HEAD_SIZES) for row in rows)
    assert trainer.tally.tokens == read  # and none of the evaluation at the epoch's end
    return keep.steps[0]


def test_gradients_under_accumulation_equal_those_of_one_large_batch(
    network: ControlTokenClassifier, tmp_path: Path
) -> None:
    rows = ragged_examples()
    large = gradients(network, rows, 8, 1, tmp_path / "large")
    small = gradients(network, rows, 2, 4, tmp_path / "small")
    assert large.keys() == small.keys()
    difference = torch.cat([(small[name] - large[name]).flatten() for name in large]).norm()
    whole = torch.cat([gradient.flatten() for gradient in large.values()]).norm()
    assert float(difference / whole) < 1e-4


def test_averaging_each_batch_by_itself_would_not_do() -> None:
    """The rows above tell the right average from the usual one."""
    labels = torch.from_numpy(np.stack([row["labels"] for row in ragged_examples()]))
    logits = torch.randn(labels.shape, generator=torch.Generator().manual_seed(1))
    objective = Objective(HEADS)

    def loss(part: slice) -> float:
        batch = {"labels": labels[part]}
        return float(objective.loss(logits[part], batch, objective.counted(batch).sum(0)))

    parts = [loss(slice(start, start + 2)) for start in range(0, 8, 2)]
    assert abs(np.mean(parts) - loss(slice(None))) > 0.05


def test_the_loss_is_that_of_a_float64_reference() -> None:
    rows = ragged_examples()
    labels = np.stack([row["labels"] for row in rows]).astype(np.float64)
    logits = np.random.default_rng(2).normal(size=labels.shape) * 3
    expected, start = [], 0
    for kind, size in zip(KINDS, HEAD_SIZES, strict=True):
        columns = slice(start, start + size)
        start += size
        on = ~np.isnan(labels[:, columns.start])
        target, logit = labels[on, columns], logits[on, columns]
        if kind == "single":
            expected.append(-(target * log_softmax(logit, axis=1)).sum(1).mean())
        else:
            p = expit(logit)
            expected.append(-(target * np.log(p) + (1 - target) * np.log(1 - p)).sum(1).mean())
    objective = Objective(HEADS)
    batch = {"labels": torch.from_numpy(labels)}
    loss = objective.loss(torch.from_numpy(logits), batch, objective.counted(batch).sum(0))
    assert float(loss) == pytest.approx(np.mean(expected), rel=1e-12)


def test_distillation_is_least_where_student_and_teacher_agree() -> None:
    rows = ragged_examples()
    labels = torch.from_numpy(np.stack([row["labels"] for row in rows]))
    teacher = torch.randn(labels.shape, generator=torch.Generator().manual_seed(1))
    objective = Objective(HEADS, temperature=2.0, alpha=1.0)
    batch = {"labels": labels, "teacher_logits": teacher}
    logits = teacher.clone().requires_grad_()
    objective.loss(logits, batch, objective.counted(batch).sum(0)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6
    away = (teacher + torch.randn(labels.shape)).requires_grad_()
    objective.loss(away, batch, objective.counted(batch).sum(0)).backward()  # type: ignore[no-untyped-call]
    assert away.grad is not None
    assert float(away.grad.abs().max()) > 1e-2


def test_soft_targets_reach_rows_without_labels() -> None:
    labels = torch.full((4, sum(HEAD_SIZES)), torch.nan)
    teacher = torch.randn(labels.shape, generator=torch.Generator().manual_seed(1))
    objective = Objective(HEADS, temperature=1.0, alpha=0.5)
    batch = {"labels": labels, "teacher_logits": teacher}
    logits = torch.zeros_like(labels)
    loss = objective.loss(logits, batch, objective.counted(batch).sum(0))
    expected = [np.log(n) for n in HEAD_SIZES[:2]] + [HEAD_SIZES[2] * np.log(2)]
    assert float(loss) == pytest.approx(0.5 * np.mean(expected), rel=1e-5)


def test_states_are_drawn_towards_the_teachers_direction_whatever_their_length(
    network: ControlTokenClassifier, tmp_path: Path
) -> None:
    rows = ragged_examples()
    batch = collate(rows, network.control_ids.tolist())
    with torch.no_grad():
        states = network.states(batch["input_ids"], batch["attention_mask"]).numpy()
        logits = network(batch["input_ids"], batch["attention_mask"]).numpy()

    def gradient(states: NDArray[np.float32], name: str) -> Tensor:
        taught = [
            {**row, "labels": np.full_like(row["labels"], np.nan), "teacher_logits": answers,
             "teacher_states": state.astype(np.float16)}
            for row, answers, state in zip(rows, logits, states, strict=True)
        ]  # fmt: skip
        taken = gradients(network, taught, 4, 2, tmp_path / name, Objective(HEADS, alpha=1.0))
        return torch.cat([part.flatten() for part in taken.values()])

    same, other = gradient(2 * states, "same"), gradient(np.roll(states, 1, 0), "other")
    assert float(same.norm()) < 0.02 * float(other.norm())
