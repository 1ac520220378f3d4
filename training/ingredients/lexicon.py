"""All named ingredients together: one answer per text, and a family for every text.

Hand-written names come first, then Open Food Facts, then USDA: where they disagree the first
one wins. A family is found by the longest known name inside a text ("smoked salmon fillets" is
a salmon), so the near relatives of a test text are not in the training split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from training.ingredients.names import Name, labels, words
from training.ingredients.sources import CURATED, cells, curated
from training.rows.splits import normalise

SHARED = frozenset(curated("shared_words.txt"))
"""Words that make no relatives."""


class Lexicon:
    """Names by text, and families by the words inside a text."""

    def __init__(self, off_names: Iterable[Name], generic_families: frozenset[str]) -> None:
        self.known: dict[str, Name] = {}
        self.by_words: dict[tuple[str, ...], Name] = {}
        self._families: dict[tuple[str, ...], str] = {}
        off_names = list(off_names)
        for name in off_names:
            key = words(name.text)
            too_vague = len(key) == 1 and key[0] in SHARED
            if len(key) in (1, 2) and not too_vague and name.entry not in generic_families:
                self._families.setdefault(key, name.entry)
        for name in (*written_names(), *off_names):
            self.add(name)

    def add(self, name: Name) -> None:
        """Keep a name unless its text is known already. Fills in its family."""
        key = normalise(name.text)
        if key not in self.known:
            named = replace(name, entry=name.entry or self.family(name.text))
            self.known[key] = named
            self.by_words.setdefault(words(name.text), named)

    def family(self, text: str) -> str:
        """The family of the longest known name in the text, rightmost first; else its own."""
        tokens = words(text)
        for size in (2, 1):
            for start in range(len(tokens) - size, -1, -1):
                if family := self._families.get(tokens[start : start + size]):
                    return family
        telling = [token for token in tokens if token not in SHARED and not token.isdigit()]
        return f"name:{telling[-1] if telling else ' '.join(tokens)}"


class FoodWords:
    """Says whether a text is, or contains, a known food word."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._names = set(map(words, lexicon.known))
        self._single = {key[0] for key in self._names if len(key) == 1}

    def is_food(self, text: str) -> bool:
        return words(text) in self._names

    def has_food(self, text: str) -> bool:
        return any(word in self._single for word in words(text))


def written_names() -> Iterator[Name]:
    """The hand-written names, what people call things when they cook: everyday ones first, then
    kitchen by kitchen. `entry` is still open."""
    lists = [("everyday", CURATED / "everyday.tsv")]
    lists += [("kitchens", path) for path in sorted((CURATED / "kitchens").glob("*.tsv"))]
    for origin, path in lists:
        for row in cells(path):
            source = None if row["source"] == "null" else row["source"]
            for text in row["names"].split("; "):
                yield Name(text, True, source, labels(row["category"]), "", "names", origin)
