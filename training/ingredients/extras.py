"""Rows for training at home only: their sources may be used, but not passed on.

Recipe lines come without labels (text for the masked language model); shop categories outside
food are negatives. They go into a file of their own that git ignores.
"""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

from training.ingredients.names import normal

FOOD_SHELF = "Food, Beverages & Tobacco"


def recipe_lines(path: Path) -> list[str]:
    """Ingredient lines as people wrote them, each once."""
    found: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for text in (row["input"], row["name"]):
                if text and len(text) <= 120:
                    found.setdefault(normal(text), " ".join(text.split()))
    return list(found.values())


def shop_shelves(path: Path) -> list[str]:
    """Last words of the product categories that hold no food."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or "|" not in line:
            continue
        shelf = line.split("|")[-1].strip()
        leaf = shelf.split(">")[-1].strip()
        if FOOD_SHELF in shelf or re.search(r"\b(food|treat|milk|formula)", leaf, re.IGNORECASE):
            continue
        found.setdefault(normal(leaf), leaf)
    return list(found.values())


def rows(sources: Path) -> list[dict[str, object]]:
    """Rows in the table's shape; all in the training split."""
    lines: list[dict[str, object]] = [
        {
            "text": text,
            "ingredient": None,
            "source": None,
            "category": None,
            "split": "train",
            "entry": f"recipe:{normal(text)}",
            "slice": "recipe_lines",
        }
        for text in recipe_lines(sources / "recipes" / "bbc.csv.gz")
    ]
    lines += [
        {
            "text": text,
            "ingredient": "not_ingredient",
            "source": None,
            "category": [],
            "split": "train",
            "entry": f"shelf:{normal(text)}",
            "slice": "shop_shelves",
        }
        for text in shop_shelves(sources / "google_taxonomy.txt")
    ]
    return lines
