"""How do people misspell? One letter lost, doubled, swapped with its neighbour, or another."""

from __future__ import annotations

import random
import re
import string

LONG_ENOUGH = re.compile(r"[^\W\d_]{4,}")


def misspell(text: str, dice: random.Random) -> str:
    """`text` with one typo in one word of four letters or more; without such a word, as it is."""
    words = list(LONG_ENOUGH.finditer(text))
    if not words:
        return text
    word = dice.choice(words)
    at = dice.randrange(word.start() + 1, word.end() - 1)  # first and last letters seldom go wrong
    letter, following = text[at], text[at + 1]
    return (
        text[:at]
        + dice.choice(
            (following, letter * 2 + following, following + letter, _other(dice) + following)
        )
        + text[at + 2 :]
    )


def _other(dice: random.Random) -> str:
    return dice.choice(string.ascii_lowercase)
