"""How many texts are too long to be read whole, and how much of them is not read? By split."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypedDict

from tokenizers import Tokenizer

from model.encoding import encode
from training.recipe import SPLITS
from training.rows.coverage import SAMPLE
from training.rows.table import Table

UNLABELLED = "unlabelled"
READ = {"head": "the first", "tail": "the last", "head_tail": "the first and last"}


class CutTexts(TypedDict):
    """Of the texts of a split that were looked at, at most about SAMPLE."""

    texts: int
    cut: int
    """Texts that are longer than what is read."""
    tokens: int
    """Of all texts."""
    unread_tokens: int


class Truncation(TypedDict):
    max_tokens: int
    long_texts: str
    splits: dict[str, CutTexts]
    """Those that have rows."""


def truncation(tokenizer: Tokenizer, table: Table, limit: int, long_texts: str) -> Truncation:
    """`limit` counts `[CLS] text [SEP]`."""
    parts = {name: table.split(name) for name in SPLITS} | {UNLABELLED: table.transfer}
    splits = {
        name: _counted(tokenizer, [row.text for row in rows], limit)
        for name, rows in parts.items()
        if rows
    }
    return Truncation(max_tokens=limit, long_texts=long_texts, splits=splits)


def _counted(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> CutTexts:
    looked_at = texts[:: max(1, len(texts) // SAMPLE)]
    lengths = [len(row) for row in encode(tokenizer, looked_at, sys.maxsize).ids]
    unread = [length - limit for length in lengths if length > limit]
    return CutTexts(
        texts=len(lengths), cut=len(unread), tokens=sum(lengths), unread_tokens=sum(unread)
    )


def truncation_line(truncated: Truncation) -> str:
    """A sentence with the shares of each split."""
    limit, splits = truncated["max_tokens"], truncated["splits"]
    shares = [
        f"{_percent(part['cut'], part['texts'])} of {name} "
        f"({_percent(part['unread_tokens'], part['tokens'])} of its tokens not read)"
        for name, part in splits.items()
        if part["cut"]
    ]
    if not shares:
        looked_at = sum(part["texts"] for part in splits.values())
        return f"texts cut to {limit} tokens: none of {looked_at:,} looked at"
    part_read = READ[truncated["long_texts"]]
    return f"texts cut to {limit} tokens, {part_read}: {', '.join(shares)}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
