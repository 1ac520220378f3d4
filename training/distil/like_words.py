"""Which words are like a word? Those whose embeddings in the base are nearest."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from training.fit.base_tokenizer import BaseTokenizer
from training.fit.base_weights import unit_embeddings

WORDS, NEIGHBOURS = 10_000, 8


class LikeWords:
    """The commonest whole words of the base's vocabulary, which is ordered by how common they are.

    `folder`: the base's.
    """

    def __init__(self, folder: Path) -> None:
        ids = dict(BaseTokenizer(folder).words())
        self.words = sorted(ids, key=ids.__getitem__)[:WORDS]
        self.places = {word: place for place, word in enumerate(self.words)}
        self.vectors = unit_embeddings(folder)[[ids[word] for word in self.words]]

    @functools.cache  # noqa: B019 (one object for a run)
    def of(self, word: str) -> list[str]:
        """The nearest words, the nearest first; none for a word that is not among them."""
        place = self.places.get(word, self.places.get(word.lower()))
        if place is None:
            return []
        nearest = np.argsort(-(self.vectors @ self.vectors[place]))[1 : NEIGHBOURS + 1]
        return [self.words[other] for other in nearest.tolist()]
