"""Text without labels from the same world: the teacher labels it, and the student learns from that.

    python -m training.ingredients.transfer --sources ../shared/data

It also keeps words in the trimmed vocabulary that no training row happens to use. Texts of the
table's validation and test rows are left out, so that neither is seen in any form.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tables.reader import Fields, TableReader
from training.ingredients.build import OUT as TABLE
from training.ingredients.names import Name, seeded
from training.ingredients.off import english_names, is_usable
from training.ingredients.phrases import compose
from training.ingredients.sources import (
    OFF,
    REQUIRED,
    are_there,
    cells,
    command_line,
    taxonomy,
    write_rows,
)
from training.rows.splits import normalise

OUT = TABLE.with_name("transfer.jsonl.gz")
CATEGORIES, DESCRIPTIONS, NOUNS = (
    "off/categories.full.json.gz",
    "usda/fdc_ingredients.csv.gz",
    "oewn/nouns.tsv.gz",
)
SOURCES = {CATEGORIES: OFF, **{name: REQUIRED[name] for name in (DESCRIPTIONS, NOUNS)}}
MAX_CHARS = 60
# Texts per WordNet file: all that may be eaten, and a sample of what is surely not.
WORDNET = {"food": 4000, "plant": 2200, "animal": 1300, "substance": 1000, "artifact": 1200,
           "person": 150, "act": 150, "communication": 150, "body": 300, "object": 150}  # fmt: skip
USDA_FOODS = 4000
PHRASES = 6500  # as people write them, around names of all these


def transfer_rows(sources: Path, table: Path = TABLE) -> list[Fields]:
    """Rows of a text alone, in a stable order; none that `table` holds."""
    with TableReader(table) as rows:
        seen = {normalise(row.fields["text"]) for row in rows if row.fields}
    texts: list[str] = []
    for text in (
        *_shop_categories(sources / CATEGORIES),
        *_descriptions(sources / DESCRIPTIONS),
        *_nouns(sources / NOUNS),
    ):
        key = normalise(text)
        if len(text) <= MAX_CHARS and key not in seen:
            seen.add(key)
            texts.append(" ".join(text.split()))
    short = [
        Name(text, True, None, None, "", "", "")
        for text in texts
        if len(text) <= 32 and len(text.split()) <= 3
    ]
    phrases = [phrase.text for phrase in compose(short, PHRASES, "", "transfer phrases")]
    texts += [text for text in phrases if normalise(text) not in seen]
    return [{"text": text} for text in texts]


def _shop_categories(path: Path) -> Iterator[str]:
    """English names of Open Food Facts product categories: ingredients, products and dishes."""
    for node in taxonomy(path).values():
        yield from (name for name in english_names(node) if is_usable(normalise(name), set()))


def _descriptions(path: Path) -> list[str]:
    """A sample of what USDA foods are called."""
    texts = {row["description"] for row in cells(path)}
    return _sample([text for text in sorted(texts) if len(text) <= MAX_CHARS], USDA_FOODS)


def _nouns(path: Path) -> Iterator[str]:
    """A sample of WordNet's nouns by kind, everyday ones: lower case, at most three words."""
    lemmas: dict[str, set[str]] = {kind: set() for kind in WORDNET}
    for row in cells(path):
        lemma = row["lemma"]
        if row["lexfile"] in lemmas and lemma.islower() and len(lemma.split()) <= 3:
            lemmas[row["lexfile"]].add(lemma)
    for kind, count in WORDNET.items():
        yield from _sample(sorted(lemmas[kind]), count)


def _sample(texts: list[str], count: int) -> list[str]:
    return sorted(texts, key=lambda text: seeded("transfer", text).random())[:count]


def main(arguments: Sequence[str] | None = None) -> int:
    options = command_line(__doc__, OUT).parse_args(arguments)
    if not are_there(options.sources, SOURCES):
        return 2
    rows = transfer_rows(options.sources)
    write_rows(options.out, rows)
    print(f"{len(rows)} texts in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
