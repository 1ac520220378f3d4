"""How is a network fitted? transformers' Trainer, told to average each head over its own rows.

It brings checkpoints, resumption, progress and torchrun; nothing of the loop is ours.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import set_seed

from training.fit.batches import Collator, Examples, Misspelt
from training.fit.network import ControlTokenClassifier
from training.fit.objective import Batch, Objective
from training.fit.speed import Tally, measure, write
from training.recipe import Fitting

CHECKPOINTS_PER_STAGE = 10
EVAL_BATCH = 256
CHECKPOINT_FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt")


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
    callbacks: Sequence[TrainerCallback] = (),
) -> ControlTokenClassifier:
    """Fit `network` in place, resuming from the newest whole checkpoint in `folder`."""
    set_seed(settings.seed)
    network.piece_dropout = settings.piece_dropout
    trainer = HeadTrainer(
        objective,
        model=network,
        args=fit_arguments(settings, epochs, len(train), folder, bf16=has_fast_bfloat16()),
        train_dataset=train,
        eval_dataset=validation,
        data_collator=Collator(tuple(network.control_ids.tolist())),
        callbacks=list(callbacks),
    )
    result = trainer.train(resume_from_checkpoint=newest_checkpoint(folder))
    on_cpu = trainer.args.device.type == "cpu"  # an accelerator is not measured against the cores
    if trainer.is_world_process_zero() and trainer.tally.tokens and on_cpu:
        seconds = result.metrics["train_runtime"]
        write(folder.parent, measure(network, trainer.tally, seconds, trainer.args.bf16))
    return network.eval()


def fit_arguments(
    settings: Fitting, epochs: int, rows: int, folder: Path, bf16: bool
) -> TrainingArguments:
    steps = max(1, rows // (settings.batch_size * settings.accumulation_steps)) * epochs
    steps = settings.steps or steps
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        max_steps=settings.steps or -1,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=EVAL_BATCH,
        gradient_accumulation_steps=settings.accumulation_steps,
        warmup_steps=settings.warmup_fraction,
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        train_sampling_strategy="group_by_length",
        label_names=["labels"],
        remove_unused_columns=False,
        eval_strategy="epoch",
        prediction_loss_only=True,
        save_steps=max(1, steps // CHECKPOINTS_PER_STAGE),
        save_total_limit=2,
        logging_steps=max(1, steps // 50),
        report_to="none",
        ddp_backend="gloo" if "WORLD_SIZE" in os.environ else None,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
    )


def newest_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to its end; half-written ones are removed.

    Trainer writes trainer_state.json last: where that reads, all before it is there.
    """
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    for checkpoint in reversed(found):
        if _is_whole(checkpoint):
            return str(checkpoint)
        shutil.rmtree(checkpoint, ignore_errors=True)  # other processes may be at it too
    return None


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text())
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).is_file() for name in CHECKPOINT_FILES)


def has_fast_bfloat16() -> bool:
    """Whether matrix products in bfloat16 are done in hardware: they take half of the time."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_tile", "bf16"))
