"""How does a fit that was stopped end with the weights of one that was not?

transformers' Trainer keeps the state of torch's random generator in its checkpoints, which is not
enough: the next batch was drawn before that state, and the evaluation at an epoch's end draws
after it. So the order of rows depends on the epoch alone, and what is random in a step on its
number; datasets and collators seed generators of their own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.fit.checkpoints import SavedSteps
from training.fit.like_lengths import LikeLengths


class ResumableTrainer(Trainer):
    """A Trainer that seeds torch anew for each epoch and each step, says what it saved, and puts
    rows of like length into a batch."""

    def __init__(self, callbacks: Sequence[TrainerCallback] = (), **options: Any) -> None:
        super().__init__(**options, callbacks=[Seeds(), SavedSteps(), *callbacks])

    def _get_train_sampler(self, train_dataset: Any = None) -> LikeLengths:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        return LikeLengths(rows, self.args.train_batch_size * self.args.world_size)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """The generator's state in a checkpoint is of no use, as the module says."""


class Seeds(TrainerCallback):
    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        torch.manual_seed(drawn_seed(args.seed, "epoch", int(state.epoch or 0)))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        torch.manual_seed(drawn_seed(args.seed, "step", state.global_step, args.process_index))


def drawn_seed(*parts: object) -> int:
    """The same for the same parts, on every machine."""
    return random.Random(" ".join(map(str, parts))).getrandbits(63)
