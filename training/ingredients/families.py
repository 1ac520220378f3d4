"""Which family goes where: no near relative of a test text is ever trained on.

Families are assigned whole. Staples stay in training, since a model that serves must know
chicken and salt; so do families too large to be a fair sample of anything. The others are spread
within their category, so that every label is tested.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from training.ingredients.names import Name, seeded, words
from training.ingredients.sources import curated

SHARES = {"test": 0.1, "validation": 0.08}
MAX_SAMPLED = 90
"""Names of the largest family that may be held out."""


def connected(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each member of the pairs, and the first by alphabet of all that it is connected with."""
    parent: dict[str, str] = {}

    def root(member: str) -> str:
        while parent.setdefault(member, member) != member:
            parent[member] = member = parent[parent[member]]
        return member

    for pair in pairs:
        first, second = sorted(map(root, pair))
        parent[second] = first
    return {member: root(member) for member in parent}


def merge_families(names: list[Name]) -> list[Name]:
    """The same names; families that hold the same words in another order become one."""
    first: dict[tuple[str, ...], str] = {}
    pairs = []
    for name in names:
        key = tuple(sorted(words(name.text))) or (name.text,)
        pairs.append((name.entry, first.setdefault(key, name.entry)))
    merged = connected(pairs)
    return [replace(name, entry=merged[name.entry]) for name in names]


def assign_splits(names: list[Name]) -> dict[str, str]:
    """{family: its split}."""
    staples = set(map(words, curated("staples.txt")))
    members: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        members[name.entry].append(name)
    splits: dict[str, str] = {}
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry, family in sorted(members.items()):
        is_staple = any(words(name.text) in staples for name in family)
        if family[0].food and (is_staple or len(family) > MAX_SAMPLED):
            splits[entry] = "train"
        else:
            strata[_stratum(family)].append(entry)
    for key, entries in sorted(strata.items()):
        seeded("deal", *key).shuffle(entries)
        total = sum(len(members[entry]) for entry in entries)
        sizes: Counter[str] = Counter()
        for entry in entries:
            size = len(members[entry])
            fitting = (s for s, share in SHARES.items() if sizes[s] + size / 2 < share * total)
            splits[entry] = split = next(fitting, "train")
            sizes[split] += size
    return splits


def _stratum(family: list[Name]) -> tuple[str, str]:
    """What a family mostly is: its most frequent first label, or its kind of negative."""
    counts = Counter(
        ("food", (name.category or ("unknown",))[0]) if name.food else (name.slice, name.origin)
        for name in family
    )
    return max(sorted(counts), key=lambda key: counts[key])
