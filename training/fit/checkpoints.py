"""What do all fits share? Checkpoints that a killed run continues from, and machine settings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from model.aside import read_json
from training.recipe import Fitting, Pretrain

CHECKPOINTS_PER_STAGE = 10
CHECKPOINT_FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt")


def trainer_arguments(
    settings: Fitting | Pretrain, folder: Path, steps: int, bf16: bool, **others: Any
) -> TrainingArguments:
    """Arguments of a fit of `steps` whose checkpoints go to `folder`; `others`: its own."""
    assert settings.learning_rate is not None, "training/fit/schedule.py says which"
    return TrainingArguments(
        output_dir=str(folder),
        save_steps=max(1, steps // CHECKPOINTS_PER_STAGE),
        save_total_limit=2,
        logging_steps=max(1, steps // 50),
        report_to="none",
        ddp_backend="gloo" if "WORLD_SIZE" in os.environ else None,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size,
        seed=settings.seed,
        **others,
    )


class SavedSteps(TrainerCallback):
    """Prints each checkpoint once it is whole: a run that is killed later goes on from there."""

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **others: Any,
    ) -> None:
        if state.is_world_process_zero:
            stage = _stage_of(Path(str(args.output_dir)))
            print(f"{stage}: step {state.global_step} of {state.max_steps} is saved", flush=True)


def resume_from(folder: Path) -> str | None:
    """The newest complete checkpoint, which is printed; None: from the start."""
    checkpoint = newest_checkpoint(folder)
    if checkpoint is not None and PartialState().is_main_process:
        print(f"{_stage_of(folder)}: goes on from step {_step(Path(checkpoint))}", flush=True)
    return checkpoint


def newest_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint; half-written ones are removed.

    Trainer writes trainer_state.json last: where that reads, all before it is there.
    """
    checkpoints = sorted(folder.glob("checkpoint-*"), key=_step)
    for checkpoint in reversed(checkpoints):
        is_there = all((checkpoint / name).is_file() for name in CHECKPOINT_FILES)
        if is_there and read_json(checkpoint / "trainer_state.json") is not None:
            return str(checkpoint)
        shutil.rmtree(checkpoint, ignore_errors=True)  # other processes may remove it too
    return None


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _stage_of(checkpoints: Path) -> str:
    return checkpoints.parent.name


def has_fast_bfloat16() -> bool:
    """Whether matrix products in bfloat16 are done in hardware: they take half of the time."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_tile", "bf16"))
