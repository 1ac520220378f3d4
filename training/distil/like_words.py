"""Which words are like a word? Those whose embeddings in the base are nearest."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from training.fit.base_tokenizer import BaseTokenizer

EMBEDDINGS = ("embeddings.word_embeddings.weight", "embeddings.tok_embeddings.weight")
WORDS, NEIGHBOURS = 10_000, 8


class LikeWords:
    """The commonest whole words of the base's vocabulary, which is ordered by how common they are.

    `folder`: the base's.
    """

    def __init__(self, folder: Path) -> None:
        ids = dict(BaseTokenizer(folder).words())
        self.words = sorted(ids, key=ids.__getitem__)[:WORDS]
        self.places = {word: place for place, word in enumerate(self.words)}
        table = _embeddings(folder)[[ids[word] for word in self.words]]
        self.vectors = table / np.linalg.norm(table, axis=1, keepdims=True)

    @functools.cache  # noqa: B019 (one object for a run)
    def of(self, word: str) -> list[str]:
        """The nearest words, the nearest first; none for a word that is not among them."""
        place = self.places.get(word, self.places.get(word.lower()))
        if place is None:
            return []
        nearest = np.argsort(-(self.vectors @ self.vectors[place]))[1 : NEIGHBOURS + 1]
        return [self.words[other] for other in nearest.tolist()]


def _embeddings(folder: Path) -> NDArray[np.float32]:
    weights = load_file(folder / "model.safetensors")
    (table,) = (value for name, value in weights.items() if name.endswith(EMBEDDINGS))
    return table.float().numpy()
