"""Texts that a tokenizer may get wrong, drawn at random but always alike."""

from __future__ import annotations

import random

CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789",
    "\x00\x01\x07\t\n\v\f\r\x1b\x7f\x85\xa0\xad\u1680\u180e\u2003\u2028\u202f\u200b\u200d\u3000\ufeff",
    "éÉñÑçÇüÜøØåÅßẞœŒæÆłŁđĐıİǅŉﬁﬀ",
    "\u0300\u0301\u0327\u0323\u0345\u05b0\u064b\u0e31\u20d0\u1ab0\ufe0f\u3099\u093c\u0ccd",
    "ΣσςΑΆΩάώЖжЙйЁёІЇїႠაԱա",
    "汉字漢字日本語ひらがなカタカナﾊﾝｶｸ한국어각㐀\U00020000\U0002a6df\U0002b820\U0002f800",
    "😀👩‍👩‍👧‍👦🏽🇩🇪❤️☕️🧀🫨",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿§¶«»‘’“”„…—–‐•†‰′″‹›※؟،।॥৽᠆⸮〜・",  # noqa: RUF001
    "½²₂①Ⅷ㎏℃№™€£¥₿×÷≤≠∞",  # noqa: RUF001
    "\ud800\udbff\udc00\udfff\ufffd\ufffe\uffff\ue000\U0010ffff",
)
PIECES = (
    "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<ingredient>", "[unused1]", "##s", "##", "<s>",
    "raw honey", "Crème fraîche", "crème brûlée", "İstanbul", "ΣΊΣΥΦΟΣ", "ὈΔΥΣΣΕΎΣ", "Straße",
    "__proto__", "constructor", "hasOwnProperty", "\u1e9b\u0323", "\u0344", "\u0958", "\ufb2c",
    "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "e\u0301" * 60, "\U0001f600" * 100,
)  # fmt: skip
SPACES = (" ", " ", " ", "  ", "", "", "\t", "\n")


def odd_texts(count: int, seed: int) -> list[str]:
    """So many texts of all kinds of characters, some longer than any bundle's `max_tokens`."""
    draw = random.Random(seed)
    fixed = ["", " ", "\n\t ", "\u200b", "\x00", "\ud800", "honey " * 500, "汉" * 3000, "a" * 9000]
    return [*fixed, *(_text(draw) for _ in range(count - len(fixed)))]


def _text(draw: random.Random) -> str:
    pools = draw.sample(CHARACTERS, draw.randint(1, 3))
    parts = []
    for _ in range(draw.choice((1, 2, 3, 5, 8, 13, 60))):
        if draw.random() < 0.2:
            parts.append(draw.choice(PIECES))
        elif draw.random() < 0.1:
            parts.append(chr(draw.randrange(0x110000)))
        else:
            pool = draw.choice(pools)
            parts.append("".join(draw.choice(pool) for _ in range(draw.randint(1, 8))))
        parts.append(draw.choice(SPACES))
    return "".join(parts)
