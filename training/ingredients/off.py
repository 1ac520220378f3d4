"""Open Food Facts: a tree of ingredients in, names with labels out.

The tree says what an entry descends from; `curated/off_labels.tsv` says what the roots (and the
exceptions) mean. An entry takes the labels of its nearest labelled ancestors. Processing changes
what a thing is more than its plant does (sunflower, sunflower oil), so the last words of a name
(`curated/heads.tsv`) come before ancestry, and an entry named in the table before both.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from training.ingredients.families import connected
from training.ingredients.names import Category, Name, labels
from training.ingredients.sources import CURATED, Node, cells, curated
from training.rows.splits import normalise

E_NUMBER = re.compile(r"e\d{3,4}[a-z]*")
CODE = re.compile(r"e[- ]?\d{3,4}")
CODES = "off:e-numbers"
"""The family of all E numbers: nobody can tell one from another's digits, so all are trained on."""
UNUSABLE = re.compile(r"[^\x00-\u024f]|description|known as|\bn°|^\W*$|;|:|_|\.$")
MAX_CHARS = 60


@dataclass(frozen=True)
class Meaning:
    """One row of the label table."""

    category: Category
    source: str
    """`null`: none; `flags`: what the tree's own flags say."""
    role: str = ""
    drop: bool = False


@dataclass(frozen=True)
class HeadRule:
    """What the words at the end of a name make of it."""

    pattern: re.Pattern[str]
    category: str
    source: str


class Tree:
    """The ingredient taxonomy with its curated meanings."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._meanings = {}
        for row in cells(CURATED / "off_labels.tsv"):
            unlabelled = row["category"] in ("-", "drop")
            category = None if unlabelled else labels(row["category"])
            meaning = Meaning(category, row["source"], row["role"], row["category"] == "drop")
            self._meanings[row["id"]] = meaning
        self._head_rules = [
            HeadRule(re.compile(row["pattern"]), row["category"], row["source"])
            for row in cells(CURATED / "heads.tsv")
        ]

    def names(self) -> list[Name]:
        """Every usable English name with its labels and its family."""
        dropped = set(map(normalise, curated("off_drop.txt")))
        named: list[Name] = []
        for node in sorted(self.nodes):
            texts = english_names(self.nodes[node])
            labelled = self.label(node, texts[0]) if texts else None
            if labelled is not None:
                category, source = labelled
                for key, text in ((normalise(text), text) for text in texts):
                    if is_usable(key, dropped):
                        family = CODES if CODE.match(key) else self.families[node]
                        named.append(Name(text, True, source, category, family, "names", "off"))
        return named

    def label(self, node: str, name: str) -> tuple[Category, str | None] | None:
        """(category, source) of an entry; None where it should be left out."""
        inherited: list[Meaning] = []
        depth = 0
        for depth, level in enumerate(self._levels(node)):
            inherited = [self._meanings[_id(n)] for n in level if _id(n) in self._meanings]
            if depth and not any(meaning.category or meaning.drop for meaning in inherited):
                continue  # "puree", "plant": a word that says nothing about what it is made of
            if inherited:
                break
        if any(meaning.drop for meaning in inherited):
            return None
        if not inherited and E_NUMBER.fullmatch(_id(node).partition("-")[0]):
            inherited = [Meaning(("additive",), "flags")]
        inherited_labels = {label for meaning in inherited for label in meaning.category or ()}
        category = tuple(sorted(inherited_labels)) or None
        source = self._source(node, inherited, category)
        if depth == 0 and inherited:
            return category, source
        category, source = self._by_head(normalise(name), category, source)
        return None if category is None else (category, source)

    @cached_property
    def families(self) -> dict[str, str]:
        """Every node's family: joined to its parents, except through generic roots."""
        pairs = [(node, node) for node in self.nodes]
        pairs += [
            (node, parent)
            for node in self.nodes
            for parent in self._parents(node)
            if not self._is_generic(parent) and not self._is_generic(node)
        ]
        members: dict[str, list[str]] = defaultdict(list)
        for node, first in connected(pairs).items():
            members[first].append(node)

        def english_and_short_first(node: str) -> tuple[bool, int, str]:
            return not node.startswith("en:"), len(node), node

        return {
            node: f"off:{_id(min(family, key=english_and_short_first))}"
            for family in members.values()
            for node in family
        }

    @property
    def generic_families(self) -> frozenset[str]:
        """Families of the generic roots themselves, which are nobody's relatives."""
        return frozenset(self.families[node] for node in self.nodes if self._is_generic(node))

    def _parents(self, node: str) -> list[str]:
        return [p for p in self.nodes[node].get("parents", []) if p in self.nodes]

    def _is_generic(self, node: str) -> bool:
        meaning = self._meanings.get(_id(node))
        return meaning is not None and meaning.role == "generic"

    def _levels(self, node: str) -> Iterator[list[str]]:
        """The node, its parents, their parents, each once."""
        seen, level = {node}, [node]
        while level:
            yield level
            above = dict.fromkeys(parent for n in level for parent in self._parents(n))
            level = [parent for parent in above if parent not in seen]
            seen.update(level)

    def _flags(self, node: str) -> tuple[str, str] | None:
        """(vegan, vegetarian) of the nearest ancestor that has them."""
        for level in self._levels(node):
            for n in level:
                vegan, vegetarian = (
                    self.nodes[n].get(flag, {}).get("en", "") for flag in ("vegan", "vegetarian")
                )
                if vegan or vegetarian:
                    return vegan, vegetarian
        return None

    def _source(self, node: str, inherited: list[Meaning], category: Category) -> str | None:
        """What the ancestors say, or the tree's flags where they say nothing more."""
        flags = self._flags(node)
        sources = {meaning.source for meaning in inherited} - {"flags"}
        if sources:
            (source,) = sources if len(sources) == 1 else {"null"}
            is_contradicted = source == "plant" and flags is not None and flags[0] == "no"
            return None if source == "null" or is_contradicted else source
        if flags is None or category is None:
            return None
        vegan, vegetarian = flags
        if vegan == "yes":
            return "other" if "additive" in category else "plant"
        if vegan == "no" and vegetarian:
            return "animal" if vegetarian == "no" else "animal_product"
        return None

    def _by_head(
        self, name: str, category: Category, source: str | None
    ) -> tuple[Category, str | None]:
        """Labels as the first rule that matches the name changes them."""
        rule = next((rule for rule in self._head_rules if rule.pattern.search(name)), None)
        if rule is None:
            return category, source
        if rule.category.startswith("+"):
            if category is None:
                return None, source
            category = tuple(sorted({*category, rule.category[1:]}))
        elif rule.category != "keep":
            category = labels(rule.category)
        if rule.source != "keep":
            source = None if rule.source == "null" else rule.source
        return category, source


def english_names(node: Node) -> list[str]:
    """English name first, then its synonyms, each once."""
    primary = node.get("name", {}).get("en")
    unique: dict[str, str] = {}
    for name in ([primary] if primary else []) + node.get("synonyms", {}).get("en", []):
        unique.setdefault(normalise(name), " ".join(name.split()))
    return list(unique.values())


def is_usable(key: str, dropped: set[str]) -> bool:
    """Whether a name says what it names: no numbers, notes, functions or foreign scripts."""
    if E_NUMBER.fullmatch(key):
        return True
    if key in dropped or len(key) > MAX_CHARS or UNUSABLE.search(key):
        return False
    return not re.fullmatch(r"no.? ?\d+", key) and sum(c.isalpha() for c in key) >= 3


def _id(node: str) -> str:
    return node.removeprefix("en:")
