"""Text without labels from the same world: the teacher labels it, and the student learns from that.

    python -m training.ingredients.transfer --sources ../shared/data

It also keeps words in the trimmed vocabulary that no training row happens to use. Texts of the
table's validation and test rows are left out, so that neither is seen in any form.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.ingredients.build import OUT as TABLE
from training.ingredients.build import packed, write
from training.ingredients.names import Name, dice, normal
from training.ingredients.off import english, load, usable
from training.ingredients.phrases import compose
from training.ingredients.sources import OFF, REQUIRED, missing

OUT = TABLE.with_name("transfer.jsonl.gz")
CATEGORIES = "off/categories.full.json.gz"
SOURCES = {
    CATEGORIES: OFF,
    **{name: REQUIRED[name] for name in REQUIRED if "oewn" in name or "usda" in name},
}
LONGEST = 60  # characters
# Texts per WordNet file: all that may be eaten, and a sample of what is surely not.
WORDNET = {"food": 4000, "plant": 3500, "animal": 2000, "substance": 2000, "artifact": 2500,
           "person": 600, "act": 600, "communication": 600, "body": 600, "object": 300}  # fmt: skip
DESCRIPTIONS = 4000  # of USDA foods
PHRASES = 6500  # as people write them, around names of all these


def shop_categories(path: Path) -> Iterator[str]:
    """English names of Open Food Facts product categories: ingredients, products and dishes."""
    for node in load(path).values():
        yield from (name for name in english(node) if usable(normal(name), set()))


def descriptions(path: Path) -> list[str]:
    """A sample of what USDA foods are called."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        found = sorted({row["description"] for row in csv.DictReader(file)})
    return sample([text for text in found if len(text) <= LONGEST], DESCRIPTIONS)


def nouns(path: Path) -> Iterator[str]:
    """A sample of WordNet's nouns by kind, everyday ones: lower case, at most three words."""
    kinds: dict[str, set[str]] = {kind: set() for kind in WORDNET}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            lemma = row["lemma"]
            if row["lexfile"] in kinds and lemma.islower() and len(lemma.split()) <= 3:
                kinds[row["lexfile"]].add(lemma)
    for kind, lemmas in kinds.items():
        yield from sample(sorted(lemmas), WORDNET[kind])


def sample(texts: list[str], most: int) -> list[str]:
    return sorted(texts, key=lambda text: dice("transfer", text).random())[:most]


def judged(table: Path) -> set[str]:
    """The texts of the table's rows, labelled ones being of no use a second time."""
    with gzip.open(table, "rt", encoding="utf-8") as lines:
        return {normal(json.loads(line)["text"]) for line in lines}


def rows(sources: Path, table: Path = TABLE) -> list[dict[str, object]]:
    """Rows of a text alone, in a stable order."""
    taken = judged(table)
    found: list[dict[str, object]] = []
    for text in (
        *shop_categories(sources / CATEGORIES),
        *descriptions(sources / "usda" / "fdc_ingredients.csv.gz"),
        *nouns(sources / "oewn" / "nouns.tsv.gz"),
    ):
        key = normal(text)
        if len(text) <= LONGEST and key not in taken:
            taken.add(key)
            found.append({"text": " ".join(text.split())})
    names = [Name(str(row["text"]), True, None, None, "", "", "") for row in found]
    short = [name for name in names if len(name.text) <= 32 and len(name.text.split()) <= 3]
    for phrase in compose(short, PHRASES, "", "transfer phrases"):
        if normal(phrase.text) not in taken:
            found.append({"text": phrase.text})
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder of the raw files")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write")
    chosen = parser.parse_args(arguments)
    absent = missing(chosen.sources, SOURCES)
    if absent:
        print("\n".join(absent), file=sys.stderr)
        return 2
    found = rows(chosen.sources)
    write(chosen.out, packed(found))
    print(f"{len(found)} texts in {chosen.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
