"""Which family goes where: no near relative of a test text is ever trained on.

Families are assigned whole. Staples stay in training, since a model that serves must know
chicken and salt; so do families too large to be a fair sample of anything. Where another goes is
drawn from its name alone, so that a table with more names tests on the same families.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from training.ingredients.names import Name, seeded, words
from training.ingredients.sources import curated
from training.rows.splits import group_key

SHARES = {"test": 0.1, "validation": 0.08}
MAX_SAMPLED = 60
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
    """The same names; families of food become one if they hold the same words in another order, or
    texts that differ in other signs than letters alone, and so do such families of what is no food.
    """
    first: dict[tuple[object, ...], str] = {}
    pairs = []
    for name in names:
        for key in (tuple(sorted(words(name.text))), group_key(name.text)):
            if key:
                pairs.append((name.entry, first.setdefault((name.food, key), name.entry)))
    merged = connected(pairs)
    titles: dict[str, str] = {}
    for entry, root in sorted(merged.items(), key=lambda item: _title_order(item[0])):
        titles.setdefault(root, entry)
    return [replace(name, entry=titles[merged[name.entry]]) for name in names]


def _title_order(entry: str) -> tuple[bool, int, str]:
    """A family of several is called by its shortest entry in the tree of Open Food Facts."""
    return not entry.startswith("off:"), len(entry), entry


def assign_splits(names: list[Name]) -> dict[str, str]:
    """{family: its split}. It depends on the family alone, so that new names move no others."""
    staples = set(map(words, curated("staples.txt")))
    members: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        members[name.entry].append(name)
    splits: dict[str, str] = {}
    for entry, family in sorted(members.items()):
        is_staple = any(words(name.text) in staples for name in family)
        if family[0].food and (is_staple or len(family) > MAX_SAMPLED):
            splits[entry] = "train"
        else:
            splits[entry] = _drawn_split(entry)
    return splits


def _drawn_split(entry: str) -> str:
    draw = seeded("split", entry).random()
    for split, share in SHARES.items():
        if draw < share:
            return split
        draw -= share
    return "train"
