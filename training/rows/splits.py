"""Which rows train, which choose, which judge? Splits that no row has are carved out by hash.

Where a group falls depends on its key and the seed alone, so rows that come, go or are corrected
move no others, and a group that trained once is never judged later.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tables.normal_form import normalise

__all__ = ["carve", "group_key", "normalise"]

RULE = "sha256 of seed and group"
"""How splits are drawn: a run whose splits were drawn by another rule starts anew."""
INTERVALS = {"test": (0.0, 0.1), "validation": (0.1, 0.2)}
"""Positions of the groups that each split takes; those of the rest train."""
TRAIN = (0.2, 1.0)


def group_key(text: str) -> str:
    """The letters of a text without case: texts that differ in other signs alone are one group.

    A text without letters, a number or an emoji, is a group of its own.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if not any(map(str.isalpha, folded)):
        return normalise(text)
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LM")


def carve(rows: Sequence[tuple[str, str | None]], seed: int) -> list[str]:
    """Give every row a split. Each row is (group, split or None).

    Splits that rows have stay, except that a split which no row has takes its share of the pool:
    the groups whose rows have none or train. What remains of the pool trains.
    """
    present = {split for _, split in rows}
    missing = [name for name in INTERVALS if name not in present]
    held_out: dict[str, str] = {}
    for group, split in rows:
        if split in INTERVALS:
            held_out.setdefault(group, split)
    carved = _draw({group for group, _ in rows} - held_out.keys(), missing, seed)
    return [
        split if split in INTERVALS else carved.get(group) or split or held_out[group]
        for group, split in rows
    ]


def _draw(groups: Iterable[str], missing: Sequence[str], seed: int) -> dict[str, str]:
    """{group: its split}, of `missing` or train.

    A split that no position fell into takes the group nearest to it, which a larger table moves
    back, from a split that has more than one.
    """
    positions = {group: position(group, seed) for group in sorted(groups)}
    intervals = {name: INTERVALS[name] for name in missing}
    drawn = {
        group: next((n for n, (low, high) in intervals.items() if low <= position < high), "train")
        for group, position in positions.items()
    }
    sizes = Counter(drawn.values())
    for name, (low, high) in (*intervals.items(), ("train", TRAIN)):
        spare = [group for group in drawn if sizes[drawn[group]] > 1]
        if not sizes[name] and spare:
            nearest = min(spare, key=lambda g: max(low - positions[g], positions[g] - high))
            sizes[drawn[nearest]] -= 1
            drawn[nearest], sizes[name] = name, 1
    return drawn


def position(group: str, seed: int) -> float:
    """Of a group, by hash alone: from 0 to 1, spread evenly."""
    digest = hashlib.sha256(f"{seed} {group}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
