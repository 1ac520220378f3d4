"""What does a student read where there is little text? Variants of the training texts.

A student of fewer layers learns to read as its teachers do from text, whatever it is about: they
label it. A few hundred rows are too little, so their words are put together anew: the beginning of
one text with the end of another, words left out, words exchanged for others that the base finds
alike. Much of it makes no sense, which does no harm.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.distil.like_words import LikeWords

LEFT_OUT, EXCHANGED = 0.1, 0.4
"""Shares of words."""
JOINED = 0.5
"""Share of variants that are made of two texts."""


def variants(texts: Sequence[str], count: int, like: LikeWords, seed: int) -> list[str]:
    """`count` texts made of the words of `texts` and of words like them."""
    dice = random.Random(seed)
    words = [split for text in texts if (split := text.split())]
    return [_variant(words, like, dice) for _ in range(count)] if words else []


def _variant(texts: Sequence[list[str]], like: LikeWords, dice: random.Random) -> str:
    words = dice.choice(texts)
    if dice.random() < JOINED:
        other = dice.choice(texts)
        words = words[: dice.randint(1, len(words))] + other[dice.randrange(len(other)) :]
    varied = [_word(word, like, dice) for word in words if dice.random() >= LEFT_OUT]
    return " ".join(varied or words)


def _word(word: str, like: LikeWords, dice: random.Random) -> str:
    if dice.random() >= EXCHANGED:
        return word
    return dice.choice(like.of(word) or [word])
