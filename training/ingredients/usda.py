"""USDA FoodData Central: descriptions of single foods in, more names for known things out.

"Beef, ground, 80% lean meat, raw" is written as nobody speaks, so it is kept as it stands and
turned into "ground beef 80% lean meat raw". Labels come from the names already known; only in
food groups that mean one thing (beef, fish, spices...) does the group's own label step in.
Dishes, baby food, restaurants and brands are left out: whether a dish is an ingredient is doubtful.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from pathlib import Path

from training.ingredients.lexicon import Lexicon
from training.ingredients.names import Name, dice, words

# Food group -> labels a known name must share to be believed, and the default where it is safe.
GROUPS: dict[str, tuple[frozenset[str], tuple[tuple[str, ...], str] | None]] = {
    "Beef Products": (frozenset({"meat", "fat_oil"}), (("meat",), "animal")),
    "Pork Products": (frozenset({"meat", "fat_oil"}), (("meat",), "animal")),
    "Lamb, Veal, and Game Products": (frozenset({"meat"}), (("meat",), "animal")),
    "Poultry Products": (frozenset({"meat"}), (("meat",), "animal")),
    "Chicken, whole pieces": (frozenset({"meat"}), (("meat",), "animal")),
    "Turkey, duck, other poultry": (frozenset({"meat"}), (("meat",), "animal")),
    "Sausages and Luncheon Meats": (frozenset({"meat"}), (("meat",), "animal")),
    "Liver and organ meats": (frozenset({"meat"}), (("meat",), "animal")),
    "Bacon": (frozenset({"meat"}), None),
    "Ground beef": (frozenset({"meat"}), (("meat",), "animal")),
    "Lamb, goat, game": (frozenset({"meat"}), (("meat",), "animal")),
    "Finfish and Shellfish Products": (frozenset({"seafood"}), (("seafood",), "animal")),
    "Fish": (frozenset({"seafood"}), (("seafood",), "animal")),
    "Shellfish": (frozenset({"seafood"}), (("seafood",), "animal")),
    "Vegetables and Vegetable Products": (
        frozenset({"vegetable", "legume", "mushroom", "algae", "herb", "spice"}),
        None,
    ),
    "Other vegetables and combinations": (frozenset({"vegetable", "legume", "mushroom"}), None),
    "Other dark green vegetables": (frozenset({"vegetable"}), None),
    "Fruits and Fruit Juices": (frozenset({"fruit"}), None),
    "Other fruits and fruit salads": (frozenset({"fruit"}), None),
    "Dried fruits": (frozenset({"fruit"}), None),
    "Citrus juice": (frozenset({"fruit"}), None),
    "Other fruit juice": (frozenset({"fruit"}), None),
    "Legumes and Legume Products": (frozenset({"legume"}), None),
    "Beans, peas, legumes": (frozenset({"legume"}), None),
    "Nut and Seed Products": (frozenset({"nut", "seed"}), None),
    "Nuts and seeds": (frozenset({"nut", "seed"}), None),
    "Spices and Herbs": (frozenset({"spice", "herb"}), None),
    "Dairy and Egg Products": (frozenset({"dairy", "egg"}), None),
    "Cheese": (frozenset({"dairy"}), (("dairy",), "animal_product")),
    "Fats and Oils": (frozenset({"fat_oil"}), None),
    "Cereal Grains and Pasta": (frozenset({"cereal"}), None),
    "Rice": (frozenset({"cereal"}), None),
    "Wine": (frozenset({"alcohol"}), (("alcohol",), "plant")),
    "Beer": (frozenset({"alcohol"}), (("alcohol",), "plant")),
    "Milk, whole": (frozenset({"dairy"}), (("dairy",), "animal_product")),
    "Sugars and honey": (frozenset({"sweetener"}), None),
    "Coffee": (frozenset({"beverage"}), None),
    "Tea": (frozenset({"beverage"}), None),
}
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
LONGEST = 64
FAMILY_CAP = 16


def names(path: Path, lexicon: Lexicon) -> list[Name]:
    """Additional names; families with hundreds of cuts are sampled."""
    by_family: dict[str, list[Name]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in single_food(row["description"], row["category"], lexicon):
                by_family[name.entry].append(name)
    found: list[Name] = []
    for entry in sorted(by_family):
        group = sorted({n.text: n for n in by_family[entry]}.values(), key=lambda n: n.text)
        dice("usda", entry).shuffle(group)
        found += group[:FAMILY_CAP]
    return found


def single_food(description: str, group: str, lexicon: Lexicon) -> list[Name]:
    """The description and its spoken order, or nothing where it is doubtful."""
    if group not in GROUPS or DISH.search(description) or BRAND.search(description):
        return []
    parts = [p.strip() for p in re.sub(r"\s*\([^)]*\)", "", description).split(",")]
    parts = [p for p in parts if p]
    if len(parts) > 1 and parts[0].casefold() in WRAPPERS:
        parts = parts[1:]
    allowed, default = GROUPS[group]
    cores = [parts[0]]
    if len(parts) > 1:
        cores.insert(0, f"{parts[1]} {parts[0]}")
    category: tuple[str, ...] | None = None
    source: str | None = None
    for core in cores:
        known = lexicon.by_words.get(words(core))
        if known and known.category and allowed & set(known.category):
            category, source = known.category, known.source
            break
    if category is None:
        if default is None:
            return []
        category, source = default
    if "legume" in category and re.search(r"(?<!im)mature seeds", description):
        category = ("legume",)
    spoken = " ".join([*parts[1:2], parts[0], *parts[2:]]).lower()
    spoken = re.sub(r"\b(\w+) \1\b", r"\1", spoken)
    entry = lexicon.family(cores[0])
    texts = dict.fromkeys([description, spoken])
    return [
        Name(text, True, source, category, entry, "names", "usda")
        for text in texts
        if len(text) <= LONGEST
    ]
