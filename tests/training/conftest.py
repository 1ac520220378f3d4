"""The base model's real weights, in the smallest networks that still are what training makes."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from training.base import resolve_base
from training.network import ControlTokenClassifier, Shape, encoder_config, from_base, with_layers
from training.vocabulary import TrimmedVocabulary, trim_vocabulary

TEXTS = ("raw honey", "boneless chicken breast", "butter knife", "extra-virgin olive oil", "tofu")
HEAD_SIZES = (2, 4, 5)
MAX_TOKENS = 16


@pytest.fixture(scope="session")
def base() -> Path:
    return resolve_base("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def vocabulary(base: Path) -> TrimmedVocabulary:
    return trim_vocabulary(base, TEXTS)


@pytest.fixture(scope="session")
def tokenizer(vocabulary: TrimmedVocabulary) -> Tokenizer:
    return Tokenizer.from_str(vocabulary.tokenizer)


@pytest.fixture(scope="session")
def network(base: Path, vocabulary: TrimmedVocabulary) -> ControlTokenClassifier:
    """Two of the base's six layers, its heads untrained but large enough to tell texts apart."""
    torch.manual_seed(1)
    pieces = len(vocabulary.base_ids)
    config = encoder_config(base, pieces, len(HEAD_SIZES), MAX_TOKENS)
    whole = from_base(base, vocabulary.base_ids, 2, Shape(config, pieces, MAX_TOKENS, HEAD_SIZES))
    with torch.no_grad():
        whole.encoder.get_input_embeddings().weight[-3:] += 0.1 * torch.randn(3, 384)
    return with_layers(whole, 2).eval()
