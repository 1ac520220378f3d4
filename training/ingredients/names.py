"""What is known about one text of the table, and when do two texts count as relatives?

Every other file of this package makes `Name`s, and `build` turns them into rows. None means
unknown: the loss ignores it, task by task.
"""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass

from tables.labels import parse_labels
from tables.reader import Fields

CATEGORIES = (
    "additive", "alcohol", "algae", "bakery", "beverage", "cereal", "cocoa", "condiment", "dairy",
    "egg", "fat_oil", "flavouring", "fruit", "herb", "legume", "meat", "mineral", "mushroom",
    "nut", "seafood", "seed", "spice", "sweetener", "vegetable",
)  # fmt: skip
SOURCES = ("plant", "animal", "animal_product", "other")
SLICES = ("names", "phrases", "negatives", "hard_negatives", "handwritten")
Category = tuple[str, ...] | None
"""Sorted; `()` for what is no ingredient, None if unknown."""


@dataclass(frozen=True)
class Name:
    """One text and its labels."""

    text: str
    food: bool | None
    source: str | None
    category: Category
    entry: str
    """The family of near relatives that must not straddle splits."""
    slice: str
    origin: str

    def row(self, split: str) -> Fields:
        """As a row of the table."""
        ingredient = {True: "ingredient", False: "not_ingredient", None: None}
        return {
            "text": self.text,
            "ingredient": ingredient[self.food],
            "source": self.source,
            "category": None if self.category is None else list(self.category),
            "split": split,
            "entry": self.entry,
            "slice": self.slice,
        }


def labels(cell: str) -> Category:
    """`"fruit|beverage"` as a sorted tuple; raises ValueError for an unknown category."""
    parsed = parse_labels(cell, "multi")
    for label in parsed or ():
        if label not in CATEGORIES:
            raise ValueError(f"unknown category {label!r} in {cell!r}: one of {CATEGORIES}")
    return None if parsed is None else tuple(sorted(parsed))


def words(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, singular, without marks: what relatives are compared by."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("'s", "s")
    return tuple(map(_singular, re.findall(r"[a-z0-9]+", plain)))


def _singular(word: str) -> str:
    """A cheap English singular, good enough to see that "cherries" and "cherry" are relatives."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "oes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def seeded(*key: object) -> random.Random:
    """A generator for this key alone, so that a new row does not reshuffle the others."""
    return random.Random("|".join(map(str, key)))
