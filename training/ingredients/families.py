"""Which family goes where: no near relative of a test text is ever trained on.

Families are dealt out whole. Staples stay in training, since a model that serves must know
chicken and salt; so do families too large to be a fair sample of anything. The others are dealt
within their category, so that every label is tested.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from training.ingredients.names import Name, dice, read_list, words

TEST_SHARE = 0.1
VALIDATION_SHARE = 0.08
LARGEST = 90


def joined(names: list[Name]) -> list[Name]:
    """The same names; families that hold the same words in another order become one."""
    lead: dict[str, str] = {n.entry: n.entry for n in names}

    def find(entry: str) -> str:
        while lead[entry] != entry:
            lead[entry] = lead[lead[entry]]
            entry = lead[entry]
        return entry

    first: dict[tuple[str, ...], str] = {}
    for name in names:
        key = tuple(sorted(words(name.text))) or (name.text,)
        here, there = find(name.entry), find(first.setdefault(key, name.entry))
        lead[max(here, there)] = min(here, there)
    return [replace(name, entry=find(name.entry)) for name in names]


def deal(names: list[Name]) -> dict[str, str]:
    """Split of every family."""
    staples = {words(line) for line in read_list("staples.txt")}
    members: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        members[name.entry].append(name)
    split: dict[str, str] = {}
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in sorted(members):
        group = members[entry]
        staple = len(group) > LARGEST or any(words(n.text) in staples for n in group)
        if group[0].food and staple:
            split[entry] = "train"
        else:
            strata[stratum(group)].append(entry)
    for key in sorted(strata):
        entries = strata[key]
        dice("deal", *key).shuffle(entries)
        total = sum(len(members[e]) for e in entries)
        held = {"test": 0, "validation": 0}
        for entry in entries:
            size = len(members[entry])
            for title, share in (("test", TEST_SHARE), ("validation", VALIDATION_SHARE)):
                if held[title] + size / 2 < share * total:
                    held[title] += size
                    split[entry] = title
                    break
            else:
                split[entry] = "train"
    return split


def stratum(group: list[Name]) -> tuple[str, ...]:
    """What a family mostly is: its most frequent first label, or its kind of negative."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for name in group:
        label = (name.category or ("unknown",))[0] if name.food else name.origin
        counts[name.slice if not name.food else "food", label] += 1
    return max(sorted(counts), key=lambda k: counts[k])
