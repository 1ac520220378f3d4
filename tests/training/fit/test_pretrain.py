"""Is the base fitted to unlabelled text, and do later stages read text as if it were not?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.fit import pretrain, vocabulary
from training.recipe import read_recipe
from training.run import Run

WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def pretrained(
    small_base: Path, small_table: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("pretrain")
    (folder / "plain.txt").write_text("smoked sea salt\nripe bananas\nsalt and honey\n" * 5)
    (folder / "recipe.toml").write_text(
        f'base = "{small_base}"\n[data]\nfiles = ["{small_table}"]\n'
        '[[task]]\nname = "ingredient"\nkind = "single"\n'
        '[pretrain]\nfiles = ["plain.txt"]\nepochs = 2\nbatch_size = 2\nlearning_rate = 1e-3\n'
        "[student]\nlayers = 1\n"
    )
    run = Run(read_recipe(folder / "recipe.toml"), folder / "out")
    for name, stage in (("vocabulary", vocabulary), ("pretrain", pretrain)):
        (run.work / name).mkdir(parents=True)
        stage.run(run, run.work / name)
    return run


def test_the_encoder_has_the_trimmed_vocabulary_and_learned(
    pretrained: Run, small_base: Path
) -> None:
    folder, base_ids = pretrained.encoder
    after = load_file(folder / "model.safetensors")[WORDS]
    before = load_file(small_base / "model.safetensors")[WORDS]
    before = before[pretrained.facts("vocabulary")["base_ids"]]
    assert base_ids == list(range(len(after)))
    assert after.shape == before.shape
    assert not torch.equal(after, before)


def test_later_stages_read_the_mask_as_text(pretrained: Run) -> None:
    """Its id is that of the first control token."""
    (ids,) = pretrained.encode(["a [MASK] of honey"])
    assert max(ids) < pretrained.facts("vocabulary")["pieces"]


def test_what_is_hidden_depends_on_the_batch_alone(pretrained: Run, small_base: Path) -> None:
    reader = pretrain.masking_reader(small_base, pretrained.tokenizer_path)
    masking = pretrain.Masking(reader, mlm_probability=0.5)
    batch, other = ([{"input_ids": list(range(first, first + 30))}] for first in (5, 6))
    hidden = masking(batch)["labels"]
    torch.rand(7)
    masking(other)
    assert torch.equal(masking(batch)["labels"], hidden)
    assert not torch.equal(masking(other)["labels"] == -100, hidden == -100)
