"""How do people misspell? One letter lost, doubled, swapped with its neighbour, or another."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from training.fit.batches import Example, Examples

LONG_ENOUGH = re.compile(r"[^\W\d_]{4,}")


def misspell(text: str, dice: random.Random) -> str:
    """`text` with one typo in one word of four letters or more; without such a word, unchanged."""
    words = list(LONG_ENOUGH.finditer(text))
    if not words:
        return text
    word = dice.choice(words)
    place = dice.randrange(word.start() + 1, word.end() - 1)  # seldom the first or last letter
    letter, following = text[place], text[place + 1]
    other = dice.choice(string.ascii_lowercase)
    typos = (following, letter * 2 + following, following + letter, other + following)
    return text[:place] + dice.choice(typos) + text[place + 2 :]


@dataclass(eq=False)
class Misspelt:
    """The examples of `texts`, a `share` of them read with a new typo each time."""

    examples: Examples
    texts: Sequence[str]
    share: float
    encode: Callable[[Sequence[str]], list[list[int]]]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> Example:
        example = self.examples[place]
        if float(torch.rand(())) >= self.share:  # torch's generator: a checkpoint keeps its state
            return example
        dice = random.Random(int(torch.randint(2**31, ())))
        return {**example, "input_ids": self.encode([misspell(self.texts[place], dice)])[0]}
