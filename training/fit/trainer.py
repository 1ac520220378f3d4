"""How is a network fitted? transformers' Trainer, told to average each head over its own rows.

It brings checkpoints, resumption, progress and torchrun; nothing of the loop is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import TrainingArguments
from transformers.trainer_utils import set_seed

from model.aside import write_json
from training.fit.batches import INFERENCE_ROWS, collate, examples
from training.fit.checkpoints import has_fast_bfloat16, resume_from, trainer_arguments
from training.fit.network import ControlTokenClassifier, save_network
from training.fit.objective import Batch, Objective
from training.fit.resumable_trainer import ResumableTrainer
from training.fit.speed import SPEED, Tally, measure
from training.fit.typos import Misspelt
from training.recipe import Fitting
from training.rows.table import Row
from training.run import Run

SHORT = 128
"""Places of a text whose attention a processor does sooner as plain matrix products: 32 texts of 64
take 18 ms forward and backward, and 39 by the fused kernel; of 256 they take 289 and 140."""


class HeadTrainer(ResumableTrainer):
    """A trainer whose loss averages every head over its labelled rows of a whole optimizer step.

    Averaging within each accumulated batch, as Trainer does, would weigh a row of a rarely
    labelled head by how many others happen to share its batch.
    """

    def __init__(self, objective: Objective, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objective: Objective = objective
        self.tally = Tally()
        self.model_accepts_loss_kwargs = True  # the loss below is already the step's average

    def _get_num_items_in_batch(
        self, batch_samples: list[Batch], device: torch.device
    ) -> Tensor | None:
        """Trainer's count of what a step averages over; here one count per term of the loss."""
        if not batch_samples:
            return None
        counts = torch.stack([self.objective.counted(batch).sum(0) for batch in batch_samples])
        # The processes' gradients are averaged: dividing by the mean count makes that the whole's.
        mean: Tensor = self.accelerator.reduce(counts.sum(0).float().to(device), "mean")
        return mean

    def compute_loss(  # type: ignore[override]
        self,
        model: torch.nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Any:
        if model.training:
            self.tally.add(inputs)
        counts = num_items_in_batch
        if counts is None:
            counts = self.objective.counted(inputs).sum(0)
        expected: Tensor | None = inputs.get("teacher_states")
        with _attention(inputs):
            outputs = model(inputs["input_ids"], inputs["attention_mask"], expected is not None)
        logits = outputs[:, : self.objective.heads.width]
        states = None
        if expected is not None:
            states = outputs[:, self.objective.heads.width :].reshape(expected.shape)
        loss = self.objective.loss(logits, inputs, counts, states)
        return (loss, {"logits": logits}) if return_outputs else loss


def _attention(inputs: Batch) -> AbstractContextManager[None]:
    """The kernel for texts of this length."""
    ids = inputs["input_ids"]
    is_plain = ids.device.type == "cpu" and ids.shape[1] <= SHORT
    return sdpa_kernel(SDPBackend.MATH) if is_plain else nullcontext()


def fit(
    run: Run,
    network: ControlTokenClassifier,
    objective: Objective,
    train: Sequence[Row],
    settings: Fitting,
    epochs: int,
    folder: Path,
    soft: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None),
    states: NDArray[np.floating] | None = None,
) -> None:
    """Fit `network` to `train` and write it to `folder`, with its speed.

    Goes on from the newest complete checkpoint in `folder`. `soft`: the teachers' logits of
    `train` and of the validation rows, [rows, labels of all tasks]; `states`: what the teacher's
    heads read of `train`, [rows, tasks, width].
    """
    set_seed(settings.seed)
    network.piece_dropout = settings.piece_dropout
    texts = [row.text for row in train]
    checkpoints = folder / "checkpoints"
    trainer = HeadTrainer(
        objective,
        model=network,
        args=fit_arguments(settings, epochs, len(train), checkpoints, bf16=has_fast_bfloat16()),
        train_dataset=Misspelt(
            examples(run, train, soft[0], states), texts, settings.typos, run.encode, settings.seed
        ),
        eval_dataset=examples(run, run.table.split("validation"), soft[1]),
        data_collator=partial(collate, control_ids=network.control_ids.tolist()),
    )
    result = trainer.train(resume_from_checkpoint=resume_from(checkpoints))
    if not trainer.is_world_process_zero():
        return
    save_network(network, folder)
    # An accelerator is not measured against the cores.
    if trainer.tally.tokens and trainer.args.device.type == "cpu":
        seconds = result.metrics["train_runtime"]
        write_json(folder / SPEED, measure(network, trainer.tally, seconds, trainer.args.bf16))


def fit_arguments(
    settings: Fitting, epochs: int, rows: int, folder: Path, bf16: bool
) -> TrainingArguments:
    steps = max(1, rows // (settings.batch_size * settings.accumulation_steps)) * epochs
    return trainer_arguments(
        settings,
        folder,
        settings.steps or steps,
        bf16,
        num_train_epochs=epochs,
        max_steps=settings.steps or -1,
        per_device_eval_batch_size=INFERENCE_ROWS,
        gradient_accumulation_steps=settings.accumulation_steps,
        warmup_steps=settings.warmup_fraction,
        weight_decay=settings.weight_decay,
        label_names=["labels"],
        remove_unused_columns=False,
        eval_strategy="epoch",
        prediction_loss_only=True,
    )
