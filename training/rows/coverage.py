"""What of the texts does the base read? Pieces it has no letters for, and ends that are cut off."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tokenizers import Tokenizer

from model.encoding import encode

SAMPLE = 5_000
"""Texts that are looked at, evenly spaced."""
UNKNOWN_SHARE = 0.005
"""Of the pieces, from which on it is told; English tables have a tenth of it."""
CUT_SHARE = 0.01
"""Of the texts."""
SHOWN = 8


@dataclass(frozen=True)
class Coverage:
    """Of `texts` texts, with `pieces` pieces in all."""

    texts: int
    pieces: int
    unknown: int
    """Pieces that stand for what the base cannot spell, `[UNK]`."""
    unknown_texts: int
    """Texts that have one."""
    characters: tuple[tuple[str, int], ...]
    """Characters that the base does not have, and in how many texts, the frequent first."""
    limit: int
    """Tokens of a text that are read."""
    longest: int
    cut: int
    """Texts that are longer."""
    unread: int
    """Pieces beyond it."""

    @property
    def read_per_text(self) -> float:
        """Tokens that are read of a text, on average."""
        return (self.pieces - self.unread) / self.texts

    def problems(self) -> Iterator[str]:
        """Sentences on what is not read."""
        if self.unknown > UNKNOWN_SHARE * self.pieces:
            shown = ", ".join(f"{c!r} (in {count:,})" for c, count in self.characters[:SHOWN])
            yield (
                f"{_percent(self.unknown, self.pieces)} of the pieces are unknown to the base, in "
                f"{_percent(self.unknown_texts, self.texts)} of the texts: "
                f"{shown or 'whole words'}. Where two training texts have such a character, it "
                "gets a piece that these rows alone teach; elsewhere the word is read as [UNK]"
            )
        if self.cut > CUT_SHARE * self.texts:
            yield (
                f"{_percent(self.cut, self.texts)} of the texts are longer than {self.limit} "
                f"tokens (the longest has {self.longest:,}), so that "
                f"{_percent(self.unread, self.pieces)} of all tokens are not read; [data] "
                "max_tokens sets the limit, and long_texts which part of a longer text is read"
            )


def coverage(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> Coverage:
    """Look at up to SAMPLE of the `texts`; `limit` counts `[CLS] text [SEP]`."""
    texts = texts[:: max(1, len(texts) // SAMPLE)]
    rows = encode(tokenizer, texts, sys.maxsize).ids
    lengths = [len(row) for row in rows]
    unspelt = unknown_id(tokenizer)
    unknown = [text for text, row in zip(texts, rows, strict=True) if unspelt in row]
    unread = [length - limit for length in lengths if length > limit]
    return Coverage(
        texts=len(texts),
        pieces=sum(lengths),
        unknown=sum(row.count(unspelt) for row in rows),
        unknown_texts=len(unknown),
        characters=tuple(_unknown_characters(tokenizer, unknown, unspelt).most_common()),
        limit=limit,
        longest=max(lengths, default=0),
        cut=len(unread),
        unread=sum(unread),
    )


def _unknown_characters(tokenizer: Tokenizer, texts: Sequence[str], unspelt: int) -> Counter[str]:
    """In how many of the texts each character stands that is unknown by itself."""
    present = Counter(chain.from_iterable(set(text) for text in texts))
    alone = encode(tokenizer, list(present), sys.maxsize).ids
    return Counter(
        {c: count for (c, count), row in zip(present.items(), alone, strict=True)
         if unspelt in row}
    )  # fmt: skip


def unknown_id(tokenizer: Tokenizer) -> int:
    """The id of what the tokenizer cannot spell; -1 for one that spells everything."""
    model = json.loads(tokenizer.to_str())["model"]
    if model["type"] == "Unigram":
        return -1 if model["unk_id"] is None else int(model["unk_id"])
    return int(model["vocab"].get(model["unk_token"], -1))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
