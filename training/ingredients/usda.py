"""USDA FoodData Central: descriptions of single foods in, more names for known things out.

"Beef, ground, 80% lean meat, raw" is written as nobody speaks, so it is kept as it stands and
turned into "ground beef 80% lean meat raw". Labels come from the names already known; only in
food groups that mean one thing (beef, fish, spices...) does the group's own label step in.
Dishes, baby food, restaurants and brands are left out: whether a dish is an ingredient is doubtful.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from training.ingredients.lexicon import Lexicon
from training.ingredients.names import Name, seeded, words
from training.ingredients.sources import CURATED, cells

GROUPS = {
    row["group"]: (row["labels"].split("|"), row["source"])
    for row in cells(CURATED / "usda_groups.tsv")
}
"""{food group: (labels of which a known name must share one to be believed, source)}. Where the
group has a source, a name that is not known takes it and the first of the labels."""
WRAPPERS = frozenset(
    {
        "fish", "crustaceans", "mollusks", "nuts", "seeds", "spices", "game meat", "variety meats",
        "alcoholic beverage", "beverages", "finfish", "shellfish",
    }
)  # fmt: skip
DISH = re.compile(
    r"\b(NFS|NS as|and|or|from|prepared|recipe|restaurant|fast food|commercial|mix|mixed|salad|"
    r"dressing|soup|sandwich|stuffed|breaded|battered|coated|coating|fried|baby|infant|formula|"
    r"sauce|creamed|gratin|flavor|flavored|added|substitute|imitation|industrial|dish|solution|"
    r"dip|spread|casserole|cocktail|gravy|stew|pie|USDA|commodity|analog|egg rolls?|eaten|"
    r"beverage powder|with (?!salt|skin|peel|bone)|parts?|classes|types|composite|Aust)\b|moisture",
    re.IGNORECASE,
)
BRAND = re.compile(r"\b[A-Z]{3,}\b|[®™'/\"]|\b[A-Z][a-z]+'s\b")
MAX_CHARS = 64
MAX_OF_FAMILY = 16


def usda_names(path: Path, lexicon: Lexicon) -> list[Name]:
    """Additional names; families with hundreds of cuts are sampled."""
    families: dict[str, dict[str, Name]] = defaultdict(dict)
    for row in cells(path):
        for name in single_food(row["description"], row["category"], lexicon):
            families[name.entry][name.text] = name
    sampled: list[Name] = []
    for entry, family in sorted(families.items()):
        names = [name for _, name in sorted(family.items())]
        seeded("usda", entry).shuffle(names)
        sampled += names[:MAX_OF_FAMILY]
    return sampled


def single_food(description: str, group: str, lexicon: Lexicon) -> list[Name]:
    """The description and its spoken order, or nothing where it is doubtful."""
    if group not in GROUPS or DISH.search(description) or BRAND.search(description):
        return []
    parts = [part.strip() for part in re.sub(r"\s*\([^)]*\)", "", description).split(",")]
    parts = [part for part in parts if part]
    if len(parts) > 1 and parts[0].casefold() in WRAPPERS:
        del parts[0]
    head, *details = parts
    cores = [*(f"{detail} {head}" for detail in details[:1]), head]
    allowed, default_source = GROUPS[group]
    known = (lexicon.by_words.get(words(core)) for core in cores)
    match = next((name for name in known if name and {*allowed} & {*(name.category or ())}), None)
    if match is None and not default_source:
        return []
    category, source = (
        (match.category or (), match.source) if match else (tuple(allowed[:1]), default_source)
    )
    if "legume" in category and re.search(r"(?<!im)mature seeds", description):
        category = ("legume",)
    spoken = " ".join([*details[:1], head, *details[1:]]).lower()
    spoken = re.sub(r"\b(\w+) \1\b", r"\1", spoken)
    entry = lexicon.family(cores[0])
    return [
        Name(text, True, source, category, entry, "names", "usda")
        for text in dict.fromkeys([description, spoken])
        if len(text) <= MAX_CHARS
    ]
