"""Names as people write them: "2 boneless chicken breasts, cut into strips".

Bare names are less than half of what a recipe holds. A phrase keeps the labels and the family of
its name; the words around it come from `curated/modifiers.tsv` and fit the category, so that a
lemon is halved and not melted. The same quantities stand before things that are no food, so that
"2 lb" alone decides nothing.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import replace

from training.ingredients.names import Name, seeded
from training.ingredients.sources import CURATED, cells
from training.rows.splits import normalise

PRIMARY = (
    "beverage", "alcohol", "condiment", "additive", "flavouring", "cocoa", "fat_oil", "spice",
    "herb", "egg", "algae", "mushroom", "dairy", "meat", "seafood", "nut", "seed", "legume",
    "bakery", "cereal", "fruit", "vegetable", "sweetener", "mineral",
)  # fmt: skip
LIQUID = re.compile(
    r"\b(milk|cream|crème|creme|yogh?urt|kefir|whey|half|custard|skyr|fraîche)\b",
    re.IGNORECASE,
)
POURED = re.compile(
    r"\b(juice|zest|jam|pur[eé]e|sauce|curd|milk|cream|marmalade|syrup|extract|paste|powder|oil)\b",
    re.IGNORECASE,
)
STATED = re.compile(
    r"\b(fresh|dried|frozen|canned|tinned|raw|cooked|smoked|ground|powder|organic|roasted|boneless|"
    r"large|small|medium|whole|chopped|grated|ripe|free-range|unsalted|melted|toasted|sliced)\b",
    re.IGNORECASE,
)
COUNTED = re.compile(r"\d|\b(juice of|zest of|stick of|head of|knob of|slices of|ears of)\b|,")
AFTER_ONLY = re.compile(
    r"^(at|for|to|cut|cooked|plus|cold|fat|skin|leaves|stalks|shells|divided|optional|or|if|as|room)\b|^\("
)
MAX_CHARS = 90


class Writer:
    """Draws one way of writing a name; the modifiers are read once."""

    def __init__(self) -> None:
        self._modifiers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in cells(CURATED / "modifiers.tsv"):
            for category in row["category"].split("|"):
                self._modifiers[row["kind"], category] += row["words"].split("|")

    def phrase(self, name: Name, rng: random.Random, other: str | None = None) -> str:
        """One way to write `name`; `other` is a name with the same labels for an "or" pair."""
        base = name.text if rng.random() < 0.3 else _lower(name.text)
        if other and rng.random() < 0.06:
            return f"{base} or {_lower(other)}"
        style = rng.choices(
            ["amount", "amount state", "state", "cut", "amount cut", "front", "full", "tail"],
            [16, 14, 18, 10, 12, 10, 12, 8],
        )[0]
        if STATED.search(base) and style in ("state", "amount state"):
            style = "amount cut"
        if COUNTED.search(base) and "amount" in style:
            style = "tail"
        amount = self._modifier(rng, "amount", _category(name, "amount"))
        state = self._modifier(rng, "state", _category(name, "state"), 0.2)
        cut = self._modifier(rng, "cut", _category(name, "cut"))
        if not cut or rng.random() < 0.1:
            cut = self._modifier(rng, "tail", "*")
        if style == "front" and (AFTER_ONLY.search(cut) or len(cut.split()) > 2):
            style = "cut"
        if style == "full" and (STATED.search(base) or COUNTED.search(base)):
            style = "tail"
        text = {
            "amount": f"{amount} {base}",
            "amount state": f"{amount} {state} {base}",
            "state": f"{state} {base}",
            "cut": _followed(base, cut),
            "amount cut": _followed(f"{amount} {base}", cut),
            "front": f"{cut} {base}",
            "full": _followed(f"{amount} {state} {base}", cut),
            "tail": _followed(base, self._modifier(rng, "tail", "*")),
        }[style]
        return _as_typed(text, rng)

    def _modifier(
        self, rng: random.Random, kind: str, category: str, general_share: float = 0.35
    ) -> str:
        """One of the category's own, or of those that suit all."""
        own, general = (self._modifiers.get((kind, key)) for key in (category, "*"))
        if own and (rng.random() > general_share or not general):
            return rng.choice(own)
        return rng.choice(general or own or [""])


def _category(name: Name, kind: str) -> str:
    """The category whose modifiers of `kind` suit a name."""
    if not name.food:
        return "thing"
    categories = set(name.category or ())
    if kind == "cut" and POURED.search(name.text) and "dairy" not in categories:
        return "*"
    if categories == {"vegetable", "spice"}:
        return "vegetable"
    if "dairy" in categories:
        if "fat_oil" in categories:
            return "fat_oil" if kind == "cut" else "dairy"
        return "dairy_liquid" if LIQUID.search(name.text) else "dairy"
    return next((category for category in PRIMARY if category in categories), "*")


def _followed(base: str, after: str) -> str:
    return f"{base} {after}" if after.startswith("(") else f"{base}, {after}"


def _lower(text: str) -> str:
    """Lower case, but E numbers stay as printed."""
    return text if re.match(r"E\d", text) else text.lower()


def _as_typed(text: str, rng: random.Random) -> str:
    """Now and then what typing does to a text: capitals, a slip of one letter."""
    draw = rng.random()
    if draw < 0.04:
        return text.upper()
    if draw < 0.09:
        return text.title() if "'" not in text else text.capitalize()
    if draw < 0.14:
        return text.capitalize()
    return _with_slip(text, rng) if draw < 0.19 else text


def _with_slip(text: str, rng: random.Random) -> str:
    """One letter doubled, dropped or swapped inside a long word: it stays readable."""
    long_words = list(re.finditer(r"[^\W\d_]{6,}", text))
    if not long_words:
        return text
    word = rng.choice(long_words)
    at = rng.randrange(word.start() + 2, word.end() - 1)
    before, letter, after, rest = text[:at], text[at], text[at + 1], text[at + 2 :]
    slips = (after, letter + letter + after, after + letter)
    return before + slips[rng.randrange(3)] + rest


def compose(names: list[Name], budget: int, slice_name: str, seed: str) -> list[Name]:
    """About `budget` phrases of one split's names, rare categories more often."""
    writer = Writer()
    by_labels: dict[tuple[object, ...], list[Name]] = defaultdict(list)
    for name in names:
        by_labels[name.source, name.category].append(name)
    counts = Counter(category for name in names for category in name.category or ("",))
    even = len(names) / max(1, len(counts))
    weights = [
        max(min(4.0, (even / counts[category]) ** 0.6) for category in name.category or ("",))
        * (1.6 if name.origin == "everyday" else 1.0)
        for name in names
    ]
    scale = budget / max(1e-9, sum(weights))
    phrases: list[Name] = []
    seen = {normalise(name.text) for name in names}
    for name, weight in zip(names, weights, strict=True):
        rng = seeded(seed, name.text)
        for _ in range(int(weight * scale + rng.random())):
            other = rng.choice(by_labels[name.source, name.category]).text
            text = writer.phrase(name, rng, other if other != name.text and name.food else None)
            key = normalise(text)
            if key not in seen and len(text) <= MAX_CHARS:
                seen.add(key)
                phrases.append(replace(name, text=text, slice=slice_name, origin="phrase"))
    return phrases
