"""How do people misspell? One letter lost, doubled, swapped with its neighbour, or another."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    """The examples of `texts`, a share of them read with a typo, others in each epoch."""

    examples: Examples
    texts: Sequence[str]
    share: float
    encode: Callable[[Sequence[str]], list[list[int]]]
    seed: int = 1
    epoch: int = 0

    def set_epoch(self, epoch: int) -> None:
        """Trainer's data loader calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> Example:
        example = self.examples[place]
        dice = random.Random(f"{self.seed} {self.epoch} {place}")  # whatever was read before
        if dice.random() >= self.share:
            return example
        return {**example, "input_ids": self.encode([misspell(self.texts[place], dice)])[0]}
