"""What does the base make of a text before any training? The mean of its last hidden states."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModel

from model.encoding import chunks, encode, graph_inputs
from model.manifest import HEAD
from training.fit.checkpoints import has_fast_bfloat16
from training.fit.vocabulary import whole_vocabulary

ROWS = 128


@functools.lru_cache(maxsize=1)
def _tokenizer(base: Path) -> Tokenizer:
    return Tokenizer.from_str(whole_vocabulary(base).tokenizer)


@torch.no_grad()
def sentence_vectors(
    base: Path, texts: Sequence[str], max_tokens: int, long_texts: str = HEAD
) -> NDArray[np.float32]:
    """float32 [texts, width], of length 1; `long_texts` as in model/encoding.py."""
    tokenizer = _tokenizer(base)
    network = AutoModel.from_pretrained(base, dtype=torch.float32, local_files_only=True).eval()
    ids = encode(tokenizer, texts, max_tokens, long_texts).ids
    vectors = np.empty((len(ids), network.config.hidden_size), np.float32)
    for places in chunks(list(map(len, ids)), ROWS, sys.maxsize):
        inputs = graph_inputs([ids[place] for place in places], []).numpy()
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
            states = network(**tensors).last_hidden_state
        mask = tensors["attention_mask"][:, :, None].float()
        means = (states.float() * mask).sum(1) / mask.sum(1)
        vectors[places] = torch.nn.functional.normalize(means, dim=1).numpy()
    return vectors
