"""A fit that goes on from any of its checkpoints ends with the very same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainingArguments

from training.fit.resumable_trainer import ResumableTrainer, drawn_seed
from training.fit.typos import Misspelt

ROWS, STEPS = 20, 11
"""Three steps an epoch, so that checkpoints are inside epochs and at their ends."""


class Words(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = torch.nn.Embedding(300, 8)
        self.dropout = torch.nn.Dropout(0.5)
        self.head = torch.nn.Linear(8, 1)

    def forward(self, input_ids: torch.Tensor) -> dict[str, torch.Tensor]:
        words = self.dropout(self.embeddings(input_ids))
        return {"loss": self.head(words).square().mean()}


def padded(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(row["input_ids"]) for row in batch)
    return {
        "input_ids": torch.tensor(
            [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in batch]
        )
    }


def fit(folder: Path, checkpoint: Path | None = None) -> list[float]:
    """The weights at the end, of a start or going on from `checkpoint`."""
    torch.manual_seed(1)
    network = Words()
    texts = ["smoked sea salt"[: 6 + place % 9] for place in range(ROWS)]
    ids = [list(map(ord, text)) for text in texts]
    examples = [{"input_ids": row} for row in ids]
    trainer = ResumableTrainer(
        model=network,
        args=TrainingArguments(
            output_dir=str(folder), max_steps=STEPS, save_steps=1, per_device_train_batch_size=8,
            report_to="none", use_cpu=True,
            dataloader_pin_memory=False, logging_strategy="no", disable_tqdm=True,
            eval_strategy="epoch", prediction_loss_only=True,
        ),
        train_dataset=Misspelt(
            examples, texts, 0.5, lambda texts: [list(map(ord, text)) for text in texts]
        ),
        eval_dataset=examples,
        data_collator=padded,
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return torch.cat([part.flatten() for part in network.parameters()]).tolist()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, fit(folder)


@pytest.mark.parametrize("step", [1, 3, 5, 10])
def test_it_ends_with_the_same_weights(
    undisturbed: tuple[Path, list[float]], tmp_path: Path, step: int
) -> None:
    folder, weights = undisturbed
    torch.rand(step)
    assert fit(tmp_path, folder / f"checkpoint-{step}") == weights


def test_each_save_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path / "student" / "checkpoints")
    printed = capsys.readouterr().out.splitlines()
    saved = [line for line in printed if line.startswith("student: ")]
    assert saved == [f"student: step {step} of 11 is saved" for step in range(1, STEPS + 1)]


def test_seeds_differ_and_are_the_same_everywhere() -> None:
    assert drawn_seed(1, "step", 2) == drawn_seed(1, "step", 2) == 5273692381383842323
    assert len({drawn_seed(1, kind, n) for kind in ("epoch", "step") for n in range(50)}) == 100
