"""Which rows train, which choose, which judge? Splits that no row has are carved out.

Carving is seeded, keeps a group's rows together, and takes the same share of every stratum
(a label), as far as its size allows.
"""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

Stratum = tuple[int, str]
"""A task and one of its labels."""

SHARE = {"test": 0.1, "validation": 0.1}  # of the rows that are carved from


def normalise(text: str) -> str:
    """The form in which two texts count as the same: NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def carve(rows: Sequence[tuple[str, Stratum, str | None]], seed: int) -> list[str]:
    """Give every row a split. Each row is (group, stratum, split or None).

    Splits that rows have stay, except that a split which no row has takes its share of the pool:
    the rows without a split and the training rows. What remains of the pool trains.
    """
    present = {split for _, _, split in rows}
    missing = [name for name in SHARE if name not in present]
    held_out: dict[str, str] = {}
    for group, _, split in rows:
        if split in SHARE:
            held_out.setdefault(group, split)
    pool: dict[str, list[Stratum]] = defaultdict(list)
    for group, stratum, split in rows:
        if group not in held_out and split not in SHARE:
            pool[group].append(stratum)
    carved = _carve_pool(pool, missing, seed)
    return [
        split if split in SHARE else carved.get(group) or split or held_out.get(group, "train")
        for group, _, split in rows
    ]


def _carve_pool(pool: dict[str, list[Stratum]], missing: list[str], seed: int) -> dict[str, str]:
    """{group: split} of those that do not train: each split takes a group when its share is due.

    The first group of every stratum trains, so that no label is judged but never learnt.
    """
    groups = sorted(pool)
    random.Random(seed).shuffle(groups)
    groups.sort(key=lambda group: pool[group][0])
    due = {name: 0.5 * (place + 1) for place, name in enumerate(missing)}
    carved: dict[str, str] = {}
    stratum: Stratum | None = None
    for group in groups:
        size = len(pool[group])
        for name in missing:
            due[name] += size * SHARE[name]
        first, stratum = pool[group][0] != stratum, pool[group][0]
        ready = [name for name in missing if due[name] >= max(1.0, size / 2)]
        if ready and not first:
            carved[group] = ready[0]
            due[ready[0]] -= size
    return carved
