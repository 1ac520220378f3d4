"""Open Food Facts: a tree of ingredients in, names with labels out.

The tree says what an entry descends from; `curated/off_labels.tsv` says what the roots (and the
exceptions) mean. An entry takes the labels of its nearest labelled ancestors. Processing changes
what a thing is more than its plant does (sunflower, sunflower oil), so the last words of a name
(`curated/heads.tsv`) come before ancestry, and an entry named in the table before both.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.ingredients.names import Name, labels, normal, read_list, read_tsv

E_NUMBER = re.compile(r"e\d{3,4}[a-z]*")
SKIP = re.compile(r"[^\x00-\u024f]|description|known as|\bn°|^\W*$|;|:|_|\.$")
LONGEST = 60


@dataclass(frozen=True)
class Meaning:
    """One row of the label table. `source` may be "flags": what the tree's own flags say."""

    category: tuple[str, ...] | None
    source: str
    generic: bool
    drop: bool


@dataclass(frozen=True)
class HeadRule:
    """What the words at the end of a name make of it."""

    pattern: re.Pattern[str]
    category: str
    source: str


class Tree:
    """The ingredient taxonomy with its curated meanings."""

    def __init__(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        self.nodes = nodes
        self.meaning = {
            row["id"]: Meaning(
                None if row["category"] in ("-", "drop") else labels(row["category"]),
                row["source"],
                row["role"] == "generic",
                row["category"] == "drop",
            )
            for row in read_tsv("off_labels.tsv")
        }
        self.heads = [
            HeadRule(re.compile(row["pattern"]), row["category"], row["source"])
            for row in read_tsv("heads.tsv")
        ]

    def parents(self, node: str) -> list[str]:
        return [p for p in self.nodes[node].get("parents", []) if p in self.nodes]

    def generic(self, node: str) -> bool:
        found = self.meaning.get(plain(node))
        return found is not None and found.generic

    def levels(self, node: str) -> list[list[str]]:
        """The node, its parents, their parents, each once."""
        seen, level, found = {node}, [node], []
        while level:
            found.append(level)
            above = [p for n in level for p in self.parents(n)]
            level = [p for p in dict.fromkeys(above) if p not in seen]
            seen.update(level)
        return found

    def flags(self, node: str) -> tuple[str, str] | None:
        """(vegan, vegetarian) of the nearest ancestor that has them."""
        for level in self.levels(node):
            for n in level:
                vegan = self.nodes[n].get("vegan", {}).get("en")
                vegetarian = self.nodes[n].get("vegetarian", {}).get("en")
                if vegan or vegetarian:
                    return vegan or "", vegetarian or ""
        return None

    def source_by_flags(self, node: str, category: tuple[str, ...] | None) -> str | None:
        flags = self.flags(node)
        if flags is None or category is None:
            return None
        vegan, vegetarian = flags
        if vegan == "yes":
            return "other" if "additive" in category else "plant"
        if vegan == "no":
            return "animal" if vegetarian == "no" else "animal_product" if vegetarian else None
        return None

    def label(self, node: str, name: str) -> tuple[tuple[str, ...] | None, str | None] | None:
        """(category, source) of an entry; None where it should be left out."""
        inherited: list[Meaning] = []
        depth = 0
        for depth, level in enumerate(self.levels(node)):
            inherited = [self.meaning[plain(n)] for n in level if plain(n) in self.meaning]
            if depth and not any(m.category or m.drop for m in inherited):
                continue  # "puree", "plant": a word that says nothing about what it is made of
            if inherited:
                break
        if any(m.drop for m in inherited):
            return None
        if not inherited and E_NUMBER.fullmatch(plain(node).split("-")[0]):
            inherited = [Meaning(("additive",), "flags", False, False)]
        found = sorted({label for m in inherited for label in m.category or ()})
        category = tuple(found) if found else None
        source = self.settle(node, inherited, category)
        if depth == 0 and inherited:
            return category, source
        category, source = self.by_head(normal(name), category, source)
        return None if category is None else (category, source)

    def settle(
        self, node: str, inherited: list[Meaning], category: tuple[str, ...] | None
    ) -> str | None:
        named = {m.source for m in inherited} - {"flags"}
        if not named:
            return self.source_by_flags(node, category)
        if len(named) > 1 or named == {"null"}:
            return None
        source = named.pop()
        flags = self.flags(node)
        if source == "plant" and flags and flags[0] == "no":
            return None
        return source

    def by_head(
        self, name: str, category: tuple[str, ...] | None, source: str | None
    ) -> tuple[tuple[str, ...] | None, str | None]:
        for rule in self.heads:
            if not rule.pattern.search(name):
                continue
            if rule.category.startswith("+"):
                if category is None:
                    return None, source
                category = tuple(sorted({*category, rule.category[1:]}))
            elif rule.category != "keep":
                category = labels(rule.category)
            if rule.source != "keep":
                source = None if rule.source == "null" else rule.source
            break
        return category, source

    def families(self) -> dict[str, str]:
        """Every node's family: joined to its parents, except through generic roots."""
        lead = {n: n for n in self.nodes}

        def find(n: str) -> str:
            while lead[n] != n:
                lead[n] = lead[lead[n]]
                n = lead[n]
            return n

        for node in sorted(self.nodes):
            for parent in self.parents(node):
                if not self.generic(parent) and not self.generic(node):
                    lead[find(node)] = find(parent)
        members: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes:
            members[find(node)].append(node)
        return {
            node: f"off:{plain(min(group, key=shortest))}"
            for group in members.values()
            for node in group
        }


def shortest(node: str) -> tuple[bool, int, str]:
    """English and short first: the name a family goes by."""
    return not node.startswith("en:"), len(node), node


def plain(node: str) -> str:
    return node.removeprefix("en:")


def load(path: Path) -> dict[str, dict[str, Any]]:
    """One compiled taxonomy file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        loaded: dict[str, dict[str, Any]] = json.load(file)
    return loaded


def english(node: Mapping[str, Any]) -> list[str]:
    """English name first, then its synonyms, each once."""
    primary = node.get("name", {}).get("en")
    names = [primary] if primary else []
    names += node.get("synonyms", {}).get("en", [])
    unique: dict[str, str] = {}
    for name in names:
        unique.setdefault(normal(name), " ".join(name.split()))
    return list(unique.values())


def names(path: Path) -> list[Name]:
    """Every usable English name of the ingredient taxonomy with its labels and its family."""
    tree = Tree(load(path))
    family = tree.families()
    dropped = {normal(line) for line in read_list("off_drop.txt")}
    found: list[Name] = []
    for node in sorted(tree.nodes):
        texts = english(tree.nodes[node])
        answer = tree.label(node, texts[0]) if texts else None
        if answer is None:
            continue
        category, source = answer
        for text in texts:
            if usable(normal(text), dropped):
                found.append(Name(text, True, source, category, family[node], "names", "off"))
    return found


def usable(key: str, dropped: set[str]) -> bool:
    """Whether a name says what it names: no numbers, notes, functions or foreign scripts."""
    if E_NUMBER.fullmatch(key):
        return True
    if key in dropped or len(key) > LONGEST or SKIP.search(key) or re.fullmatch(r"no.? ?\d+", key):
        return False
    return sum(c.isalpha() for c in key) >= 3
