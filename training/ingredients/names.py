"""What a row of the table is, and when two texts count as the same text.

Every other file of this package makes `Name`s (a text with what is known about it) and `build`
turns them into rows. A value of `None` means "nobody knows": the loss ignores it, task by task.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CURATED = Path(__file__).parent / "curated"

CATEGORIES = (
    "additive", "alcohol", "algae", "bakery", "beverage", "cereal", "cocoa", "condiment", "dairy",
    "egg", "fat_oil", "flavouring", "fruit", "herb", "legume", "meat", "mineral", "mushroom",
    "nut", "seafood", "seed", "spice", "sweetener", "vegetable",
)  # fmt: skip
SOURCES = ("plant", "animal", "animal_product", "other")
SPLITS = ("train", "validation", "test")
SLICES = ("names", "phrases", "negatives", "hard_negatives", "handwritten")


@dataclass(frozen=True)
class Name:
    """One text and its labels. `category` is `()` for what is no ingredient, `None` if unknown.

    `entry` names the family of near relatives that must not straddle splits.
    """

    text: str
    food: bool
    source: str | None
    category: tuple[str, ...] | None
    entry: str
    slice: str
    origin: str


def normal(text: str) -> str:
    """The key under which two texts are the same text: case and white space do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def singular(word: str) -> str:
    """A cheap English singular, good enough to see that "cherries" and "cherry" are relatives."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "oes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def words(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, singular, without marks: what relatives are compared by."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'s", "s")
    return tuple(singular(w) for w in re.findall(r"[a-z0-9]+", plain))


def dice(*key: object) -> random.Random:
    """A generator of its own for every key, so that a new row does not reshuffle the others."""
    return random.Random("|".join(map(str, key)))


def read_tsv(name: str) -> Iterator[dict[str, str]]:
    """Rows of one of the hand-written tables in `curated/`."""
    lines = (CURATED / name).read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) > len(header):
            raise ValueError(f"curated/{name} line {number} has {len(cells)} cells: {line[:60]!r}")
        cells += [""] * (len(header) - len(cells))
        yield dict(zip(header, cells, strict=True))


def read_list(name: str) -> list[str]:
    """Lines of a hand-written list in `curated/`; `#` starts a comment."""
    lines = (CURATED / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def labels(cell: str) -> tuple[str, ...]:
    """`"fruit|beverage"` as a sorted tuple of known categories."""
    found = tuple(sorted(set(cell.split("|"))))
    for label in found:
        if label not in CATEGORIES:
            raise ValueError(f"unknown category {label!r} in {cell!r}: one of {CATEGORIES}")
    return found
