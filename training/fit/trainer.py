"""How is a network fitted? transformers' Trainer, told to average each head over its own rows.

It brings checkpoints, resumption, progress and torchrun; nothing of the loop is ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import set_seed

from training.fit.batches import Collator, Examples
from training.fit.checkpoints import has_fast_bfloat16, newest_checkpoint, trainer_arguments
from training.fit.network import ControlTokenClassifier
from training.fit.objective import Batch, Objective
from training.fit.speed import Tally, measure, write_speed
from training.fit.typos import Misspelt
from training.recipe import Fitting

EVAL_BATCH = 256


class HeadTrainer(Trainer):
    """Trainer whose loss averages every head over its labelled rows of a whole optimizer step.

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
        for batch in batch_samples:
            self.tally.add(batch)
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
        counts = num_items_in_batch
        if counts is None:
            counts = self.objective.counted(inputs).sum(0)
        logits = model(inputs["input_ids"], inputs["attention_mask"])
        loss = self.objective.loss(logits, inputs, counts)
        return (loss, {"logits": logits}) if return_outputs else loss


def fit(
    network: ControlTokenClassifier,
    objective: Objective,
    train: Misspelt,
    validation: Examples,
    settings: Fitting,
    epochs: int,
    folder: Path,
) -> ControlTokenClassifier:
    """Fit `network` in place, resuming from the newest complete checkpoint in `folder`."""
    set_seed(settings.seed)
    network.piece_dropout = settings.piece_dropout
    trainer = HeadTrainer(
        objective,
        model=network,
        args=fit_arguments(settings, epochs, len(train), folder, bf16=has_fast_bfloat16()),
        train_dataset=train,
        eval_dataset=validation,
        data_collator=Collator(tuple(network.control_ids.tolist())),
    )
    result = trainer.train(resume_from_checkpoint=newest_checkpoint(folder))
    on_cpu = trainer.args.device.type == "cpu"  # an accelerator is not measured against the cores
    if trainer.is_world_process_zero() and trainer.tally.tokens and on_cpu:
        seconds = result.metrics["train_runtime"]
        write_speed(folder.parent, measure(network, trainer.tally, seconds, trainer.args.bf16))
    return network.eval()


def fit_arguments(
    settings: Fitting, epochs: int, rows: int, folder: Path, bf16: bool
) -> TrainingArguments:
    steps = max(1, rows // (settings.batch_size * settings.accumulation_steps)) * epochs
    return trainer_arguments(
        folder,
        settings.steps or steps,
        bf16,
        num_train_epochs=epochs,
        max_steps=settings.steps or -1,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=EVAL_BATCH,
        gradient_accumulation_steps=settings.accumulation_steps,
        warmup_steps=settings.warmup_fraction,
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        label_names=["labels"],
        remove_unused_columns=False,
        eval_strategy="epoch",
        prediction_loss_only=True,
    )
