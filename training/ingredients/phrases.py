"""Names as people write them: "2 boneless chicken breasts, cut into strips".

Bare names are less than half of what a recipe holds. A phrase keeps the labels and the family of
its name; the words around it come from `curated/modifiers.tsv` and fit the category, so that a
lemon is halved and not melted. The same quantities stand before things that are no food, so that
"2 lb" alone decides nothing.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict

from training.ingredients.names import Name, dice, normal, read_tsv

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


class Writer:
    """Draws one way of writing a name; the modifiers are read once."""

    def __init__(self) -> None:
        self.words: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in read_tsv("modifiers.tsv"):
            for category in row["category"].split("|"):
                self.words[row["kind"], category] += row["words"].split("|")

    def draw(self, rng: random.Random, kind: str, category: str, general: float = 0.35) -> str:
        own = self.words.get((kind, category))
        if own and (rng.random() > general or not self.words.get((kind, "*"))):
            return rng.choice(own)
        return rng.choice(self.words.get((kind, "*")) or own or [""])

    def kind_of(self, name: Name, kind: str) -> str:
        """The category whose modifiers suit a name."""
        if not name.food:
            return "thing"
        held = set(name.category or ())
        if kind == "cut" and POURED.search(name.text) and "dairy" not in held:
            return "*"
        if held == {"vegetable", "spice"}:
            return "vegetable"
        if "dairy" in held:
            if "fat_oil" in held:
                return "fat_oil" if kind == "cut" else "dairy"
            return "dairy_liquid" if LIQUID.search(name.text) else "dairy"
        return next((c for c in PRIMARY if c in held), "*")

    def phrase(self, name: Name, rng: random.Random, other: str | None = None) -> str:
        """One way to write `name`; `other` is a name with the same labels for an "or" pair."""
        base = name.text if rng.random() < 0.3 else lowered(name.text)
        if other and rng.random() < 0.06:
            return f"{base} or {lowered(other)}"
        style = rng.choices(
            ["amount", "amount state", "state", "cut", "amount cut", "front", "full", "tail"],
            [16, 14, 18, 10, 12, 10, 12, 8],
        )[0]
        if STATED.search(base) and style in ("state", "amount state"):
            style = "amount cut"
        if COUNTED.search(base) and "amount" in style:
            style = "tail"
        amount = self.draw(rng, "amount", self.kind_of(name, "amount"))
        state = self.draw(rng, "state", self.kind_of(name, "state"), 0.2)
        cut = self.draw(rng, "cut", self.kind_of(name, "cut"))
        if not cut or rng.random() < 0.1:
            cut = self.draw(rng, "tail", "*")
        if style == "front" and (AFTER_ONLY.search(cut) or len(cut.split()) > 2):
            style = "cut"
        if style == "full" and (STATED.search(base) or COUNTED.search(base)):
            style = "tail"
        text = {
            "amount": f"{amount} {base}",
            "amount state": f"{amount} {state} {base}",
            "state": f"{state} {base}",
            "cut": joined(base, cut),
            "amount cut": joined(f"{amount} {base}", cut),
            "front": f"{cut} {base}",
            "full": joined(f"{amount} {state} {base}", cut),
            "tail": joined(base, self.draw(rng, "tail", "*")),
        }[style]
        return worn(text, rng)


def joined(base: str, after: str) -> str:
    return f"{base} {after}" if after.startswith("(") else f"{base}, {after}"


def lowered(text: str) -> str:
    """Lower case, but E numbers stay as printed."""
    return text if re.match(r"E\d", text) else text.lower()


def worn(text: str, rng: random.Random) -> str:
    """Now and then what typing does to a text: capitals, a slip of one letter."""
    draw = rng.random()
    if draw < 0.04:
        return text.upper()
    if draw < 0.09:
        return text.title() if "'" not in text else text.capitalize()
    if draw < 0.14:
        return text.capitalize()
    if draw < 0.19:
        return slip(text, rng)
    return text


def slip(text: str, rng: random.Random) -> str:
    """One letter doubled, dropped or swapped inside a long word: it stays readable."""
    spots = list(re.finditer(r"[^\W\d_]{6,}", text))
    if not spots:
        return text
    word = rng.choice(spots)
    at = rng.randrange(word.start() + 2, word.end() - 1)
    how = rng.randrange(3)
    if how == 0:
        return text[:at] + text[at + 1 :]
    if how == 1:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def compose(names: list[Name], budget: int, slice_: str, seed: str) -> list[Name]:
    """About `budget` phrases of one split's names, rare categories more often."""
    writer = Writer()
    by_label: dict[tuple[object, ...], list[Name]] = defaultdict(list)
    held: dict[str, int] = defaultdict(int)
    for name in names:
        by_label[name.source, name.category].append(name)
        for category in name.category or ("",):
            held[category] += 1
    fair = len(names) / max(1, len(held))
    weight = [
        max(min(4.0, (fair / held[c]) ** 0.6) for c in n.category or ("",))
        * (1.6 if n.origin == "everyday" else 1.0)
        for n in names
    ]
    scale = budget / max(1e-9, sum(weight))
    found: list[Name] = []
    seen = {normal(n.text) for n in names}
    for name, share in zip(names, weight, strict=True):
        rng = dice(seed, name.text)
        times = int(share * scale + rng.random())
        for _ in range(times):
            friend = rng.choice(by_label[name.source, name.category]).text
            text = writer.phrase(name, rng, friend if friend != name.text and name.food else None)
            if normal(text) in seen or len(text) > 90:
                continue
            seen.add(normal(text))
            found.append(
                Name(text, name.food, name.source, name.category, name.entry, slice_, "phrase")
            )
    return found
