"""The base model's real weights, in the smallest networks that still are what training makes.

torch is imported by the fixtures that need it: `make test-fast` has none.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from model.heads import Heads
from training.base import resolve_base
from training.rows.table import LabelledTask

if TYPE_CHECKING:
    from training.fit.network import ControlTokenClassifier
    from training.fit.vocabulary import TrimmedVocabulary

TEXTS = ("raw honey", "boneless chicken breast", "butter knife", "extra-virgin olive oil", "tofu")
TABLE = Path(__file__).parents[2] / "training" / "ingredients" / "ingredients.jsonl.gz"
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
    from safetensors.torch import load_file, save_file

    folder = tmp_path_factory.mktemp("base")
    config = json.loads((base / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    weights = load_file(base / "model.safetensors")
    dropped = tuple(f"encoder.layer.{number}." for number in range(2, 6))
    kept_weights = {name: value for name, value in weights.items() if not name.startswith(dropped)}
    save_file(kept_weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="session")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few hundred rows of the shipped table."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(1).shuffle(rows)
    path = tmp_path_factory.mktemp("table") / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for split, count in {"train": 300, "validation": 60, "test": 60}.items():
            for row in [row for row in rows if row["split"] == split][:count]:
                file.write(json.dumps(row) + "\n")
    return path
