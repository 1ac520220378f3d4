"""Builds the training table of the ingredient classifier from public sources.

    python -m training.ingredients.build --sources ../shared/data

The question it answers: which short texts are ingredients, of what source and category? Every
step is seeded by the text it works on, so building twice gives the same bytes, and one new name
does not reshuffle the others.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tables.reader import Fields
from tables.text import aligned
from training.ingredients.extras import extra_rows
from training.ingredients.families import assign_splits, merge_families
from training.ingredients.lexicon import Lexicon
from training.ingredients.names import Name, labels, seeded, words
from training.ingredients.negatives import negatives
from training.ingredients.off import Tree
from training.ingredients.phrases import compose
from training.ingredients.sources import (
    EXTRAS,
    REQUIRED,
    SYNSETS,
    are_there,
    cells,
    command_line,
    curated,
    taxonomy,
    write_rows,
)
from training.ingredients.usda import usda_names
from training.ingredients.wordnet import read_synsets, wordnet_names
from training.recipe import SPLITS
from training.rows.splits import normalise

HERE = Path(__file__).parent
HANDWRITTEN = HERE / "handwritten.tsv"
OUT = HERE / "ingredients.jsonl.gz"
# Rows per split and kind. Training time is what limits the first column.
NAMES = {"train": 16_500, "validation": 1400, "test": 1800}
PHRASES = {"train": 7600, "validation": 700, "test": 900}
NEGATIVES = {"train": 10_600, "validation": 950, "test": 1200}
NEGATIVE_PHRASES = {"train": 1300, "validation": 150, "test": 200}
SPOKEN = ("everyday", "kitchens", "oewn")
"""Origins whose names are never thinned: words of people, not of labels and laboratories."""
COUNTABLE = ("kitchen tool", "packaging", "food-word objects", "household", "poison and matter")
"""Groups of things that a recipe could count."""


def table(sources: Path) -> list[Fields]:
    """All rows, in a stable order."""
    tree = Tree(taxonomy(sources / "off" / "ingredients.full.json.gz"))
    lexicon = Lexicon(tree.names(), tree.generic_families)
    synsets = read_synsets(sources / SYNSETS)
    for name in wordnet_names(synsets, lexicon):
        lexicon.add(name)
    for name in usda_names(sources / "usda" / "fdc_ingredients.csv.gz", lexicon):
        lexicon.add(name)
    others = negatives(sources, synsets, lexicon)
    not_negative = lexicon.known.keys() | set(map(normalise, curated("off_drop.txt")))
    others = [name for name in others if normalise(name.text) not in not_negative]
    names = merge_families([*lexicon.known.values(), *others])
    split_of = assign_splits(names)
    by_split: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        by_split[split_of[name.entry]].append(name)
    rows = list(_handwritten_rows())
    seen = {normalise(row["text"]) for row in rows}
    for split in reversed(SPLITS):  # what is held out comes first: it keeps its texts
        for name in _names_and_phrases(split, by_split[split]):
            key = normalise(name.text)
            if key and key not in seen:
                seen.add(key)
                rows.append(name.row(split))
    rows.sort(key=lambda row: (SPLITS.index(row["split"]), seeded("order", row["text"]).random()))
    return rows


def _names_and_phrases(split: str, names: list[Name]) -> list[Name]:
    """A sample of the split's names and negatives, and of both as people write them."""
    food = _sample([name for name in names if name.food], NAMES[split])
    others = _sample([name for name in names if not name.food], NEGATIVES[split])
    countable = [
        name for name in others if name.origin in COUNTABLE and len(name.text.split()) <= 3
    ]
    return [
        *food,
        *compose(list(filter(_is_spoken, food)), PHRASES[split], "phrases", "phrases"),
        *others,
        *compose(countable, NEGATIVE_PHRASES[split], "hard_negatives", "objects"),
    ]


def _sample(names: list[Name], count: int) -> list[Name]:
    """Common kinds give way first; what people say, and the plain name of a food, never does."""
    if len(names) <= count:
        return names
    counts = Counter(category for name in names for category in name.category or ("unknown",))

    def worth(name: Name) -> float:
        is_plain = len(words(name.text)) <= 2 and "additive" not in (name.category or ("additive",))
        if is_plain or name.origin in SPOKEN:
            return 1.0
        rarest = min(counts[category] for category in name.category or ("unknown",))
        weight = 0.5 if len(name.text) > 30 or name.category is None else 1.0
        return float(seeded("thin", name.text).random() ** (rarest / 300 / weight))

    chosen = {name.text for name in sorted(names, key=worth, reverse=True)[:count]}
    return [name for name in names if name.text in chosen]


def _is_spoken(name: Name) -> bool:
    """Whether a person would write this name in a recipe, rather than a factory on a label."""
    if name.origin in ("everyday", "kitchens"):
        return True
    categories = set(name.category or ())
    is_short = len(name.text) <= 32 and len(name.text.split()) <= 4
    is_food = name.category is not None and "additive" not in categories
    is_rare = bool({"algae", "cocoa", "egg"} & categories)
    return is_short and (is_food or is_rare) and "flavouring" not in categories


def _handwritten_rows() -> Iterator[Fields]:
    """The test slice that people wrote by hand; the templates of this package never saw it."""
    seen: set[str] = set()
    for number, row in enumerate(cells(HANDWRITTEN), start=1):
        key = normalise(row["text"])
        if key not in seen:
            seen.add(key)
            category, entry = labels(row["category"]), f"hand:{number}"
            food = row["ingredient"] == "ingredient"
            source = row["source"] or None
            name = Name(row["text"], food, source, category, entry, "handwritten", "")
            yield name.row("test")


def summary(rows: Sequence[Fields]) -> str:
    """Counts per split and slice, then per label and split, as tables for people."""
    slices = sorted({row["slice"] for row in rows})
    by_slice = Counter((row["split"], row["slice"]) for row in rows)
    upper = [["split", *slices, "total"]]
    for split in SPLITS:
        counts = [by_slice[split, name] for name in slices]
        upper.append([split, *map(str, counts), str(sum(counts))])
    lower = [["column", "label", *SPLITS]]
    for column in ("ingredient", "source", "category"):
        by_label: Counter[tuple[str, str]] = Counter()
        for row in rows:
            value = row[column]
            row_labels = value or ["[]"] if isinstance(value, list) else [value]
            by_label.update((str(label), row["split"]) for label in row_labels)
        for label in sorted({label for label, _ in by_label}):
            lower.append([column, label, *(str(by_label[label, split]) for split in SPLITS)])
    return "\n".join([*aligned(upper), "", *aligned(lower)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command_line(__doc__, OUT)
    parser.add_argument("--extras", action="store_true", help="also write extras.jsonl.gz")
    options = parser.parse_args(arguments)
    if not are_there(options.sources, REQUIRED | (EXTRAS if options.extras else {})):
        return 2
    rows = table(options.sources)
    write_rows(options.out, rows)
    print(summary(rows))
    if options.extras:
        extras = extra_rows(options.sources)
        write_rows(options.out.with_name("extras.jsonl.gz"), extras)
        print(f"\n{len(extras)} rows in extras.jsonl.gz, not to be passed on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
