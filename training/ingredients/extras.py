"""Rows for training at home only: their sources may be used, but not passed on.

Recipe lines come without labels (text for the masked language model); shop categories outside
food are negatives. They go into a file of their own that git ignores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tables.reader import Fields
from training.ingredients.names import Name
from training.ingredients.sources import cells
from training.rows.splits import normalise

FOOD_SHELF = "Food, Beverages & Tobacco"
MAX_CHARS = 120


def extra_rows(sources: Path) -> list[Fields]:
    """Rows in the table's shape; all in the training split."""
    lines = [
        Name(" ".join(text.split()), None, None, None, f"recipe:{key}", "recipe_lines", "")
        for key, text in _unique(_recipe_lines(sources / "recipes" / "bbc.csv.gz"))
    ]
    shelves = [
        Name(text, False, None, (), f"shelf:{key}", "shop_shelves", "")
        for key, text in _unique(_shop_shelves(sources / "google_taxonomy.txt"))
    ]
    return [name.row("train") for name in (*lines, *shelves)]


def _recipe_lines(path: Path) -> Iterator[str]:
    """Ingredient lines as people wrote them."""
    for row in cells(path):
        yield from (text for text in (row["input"], row["name"]) if 0 < len(text) <= MAX_CHARS)


def _shop_shelves(path: Path) -> Iterator[str]:
    """Last words of the product categories that hold no food."""
    for line in path.read_text(encoding="utf-8").splitlines():
        shelf = line.rpartition("|")[2].strip()
        leaf = shelf.rpartition(">")[2].strip()
        is_food = re.search(r"\b(food|treat|milk|formula)", leaf, re.IGNORECASE)
        if "|" in line and not line.startswith("#") and FOOD_SHELF not in shelf and not is_food:
            yield leaf


def _unique(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    """(normal form, text) of each that differs by more than case and spaces."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(normalise(text), text)
    return first.items()
