"""The base model's real weights, in the smallest networks that still are what training makes.

torch is imported by the fixtures that need it: `make test-fast` has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from model.heads import Heads
from tests.training.small import write_base, write_table
from training.base import resolve_base
from training.rows.table import LabelledTask

if TYPE_CHECKING:
    from training.fit.network import ControlTokenClassifier
    from training.fit.vocabulary import TrimmedVocabulary

TEXTS = ("raw honey", "boneless chicken breast", "butter knife", "extra-virgin olive oil", "tofu")
HEAD_SIZES = (2, 4, 5)
MAX_TOKENS = 16


def heads_of(*tasks: tuple[str, int]) -> Heads:
    """Heads of tasks given as (kind, number of labels)."""
    return Heads(
        LabelledTask(f"task {place}", kind, tuple(map(str, range(labels))))
        for place, (kind, labels) in enumerate(tasks)
    )


@pytest.fixture(scope="session")
def base() -> Path:
    return resolve_base("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def vocabulary(base: Path) -> TrimmedVocabulary:
    from training.fit.vocabulary import trim_vocabulary

    return trim_vocabulary(base, TEXTS)


@pytest.fixture(scope="session")
def tokenizer(vocabulary: TrimmedVocabulary) -> Tokenizer:
    return Tokenizer.from_str(vocabulary.tokenizer)


@pytest.fixture(scope="session")
def network(base: Path, vocabulary: TrimmedVocabulary) -> ControlTokenClassifier:
    """Two of the base's six layers, its heads untrained but large enough to tell texts apart."""
    import torch

    from training.distil.shrink import with_layers
    from training.fit.network import from_base

    torch.manual_seed(1)
    whole = from_base(base, vocabulary.base_ids, 2, MAX_TOKENS, HEAD_SIZES)
    with torch.no_grad():
        whole.encoder.get_input_embeddings().weight[-3:] += 0.1 * torch.randn(3, 384)
    return with_layers(whole, 2).eval()


@pytest.fixture(scope="session")
def small_base(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base directory with the first two of the base's six layers, for runs of many networks."""
    folder = tmp_path_factory.mktemp("base")
    write_base(base, folder)
    return folder


@pytest.fixture(scope="session")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few hundred rows of the shipped table."""
    path = tmp_path_factory.mktemp("table") / "rows.jsonl"
    write_table(path, {"train": 300, "validation": 60, "test": 60})
    return path
