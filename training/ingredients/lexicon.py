"""All named ingredients together: one answer per text, and a family for every text.

Hand-written names come first, then Open Food Facts, then USDA: where they disagree the first
one wins. A family is found by the longest known name inside a text ("smoked salmon fillets" is
a salmon), so the near relatives of a test text are not in the training split.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from training.ingredients.names import Name, labels, normal, read_list, read_tsv, words
from training.ingredients.off import Tree

SHARED = frozenset(read_list("shared_words.txt"))


def everyday() -> list[Name]:
    """The hand-written names: what people call things when they cook. `entry` is still open."""
    found = []
    for row in read_tsv("everyday.tsv"):
        source = None if row["source"] == "null" else row["source"]
        for text in row["names"].split("; "):
            found.append(Name(text, True, source, labels(row["category"]), "", "names", "everyday"))
    return found


class Lexicon:
    """Names by text, and families by the words inside a text."""

    def __init__(self, off: Iterable[Name], generic: frozenset[str]) -> None:
        self.known: dict[str, Name] = {}
        self.by_words: dict[tuple[str, ...], Name] = {}
        self.anchors: dict[tuple[str, ...], str] = {}
        listed = list(off)
        for name in listed:
            key = words(name.text)
            if not 1 <= len(key) <= 2 or (len(key) == 1 and key[0] in SHARED):
                continue
            if name.entry not in generic:
                self.anchors.setdefault(key, name.entry)
        for name in everyday():
            self.add(name)
        for name in listed:
            self.add(name)

    def add(self, name: Name) -> bool:
        """Keep a name unless its text is known already. Fills in its family."""
        key = normal(name.text)
        if key in self.known:
            return False
        entry = name.entry or self.family(name.text)
        named = replace(name, entry=entry)
        self.known[key] = named
        self.by_words.setdefault(words(name.text), named)
        return True

    def family(self, text: str) -> str:
        """The family of the longest known name in the text, rightmost first; else its own."""
        tokens = words(text)
        for size in (2, 1):
            for start in range(len(tokens) - size, -1, -1):
                found = self.anchors.get(tokens[start : start + size])
                if found:
                    return found
        tail = [t for t in tokens if t not in SHARED and not t.isdigit()]
        return f"name:{tail[-1] if tail else ' '.join(tokens)}"


def generic_families(tree: Tree) -> frozenset[str]:
    """Families of the generic roots themselves, which are nobody's relatives."""
    family = tree.families()
    return frozenset(family[n] for n in tree.nodes if tree.generic(n))
