"""Builds the training table of the ingredient classifier from public sources.

    python -m training.ingredients.build --sources ../shared/data

The question it answers: which short texts are ingredients, of what source and category? Every
step is seeded by the text it works on, so building twice gives the same bytes, and one new name
does not reshuffle the others.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from training.ingredients import extras, negatives, off, usda
from training.ingredients.families import deal, joined
from training.ingredients.lexicon import Lexicon, generic_families
from training.ingredients.names import SPLITS, Name, dice, labels, normal
from training.ingredients.phrases import compose
from training.ingredients.sources import EXTRAS, REQUIRED, missing

HERE = Path(__file__).parent
HANDWRITTEN = HERE / "handwritten.tsv"
OUT = HERE / "ingredients.jsonl.gz"
# Rows per split and kind. Training time is what limits the first column.
NAMES = {"train": 10_500, "validation": 700, "test": 900}
PHRASES = {"train": 7600, "validation": 700, "test": 900}
NEGATIVES = {"train": 7200, "validation": 750, "test": 950}
NEGATIVE_PHRASES = {"train": 1300, "validation": 150, "test": 200}

Row = dict[str, object]


def ingredients(sources: Path) -> tuple[Lexicon, list[Name]]:
    """Every named ingredient once, with labels and family."""
    path = sources / "off" / "ingredients.full.json.gz"
    tree = off.Tree(off.load(path))
    lexicon = Lexicon(off.names(path), generic_families(tree))
    for name in usda.names(sources / "usda" / "fdc_ingredients.csv.gz", lexicon):
        lexicon.add(name)
    return lexicon, list(lexicon.known.values())


def thin(names: list[Name], most: int) -> list[Name]:
    """At most `most` names. Common kinds give way first; what people say every day never does."""
    if len(names) <= most:
        return names
    held = Counter(c for n in names for c in n.category or ("unknown",))

    def worth(name: Name) -> float:
        rarest = min(held[c] for c in name.category or ("unknown",))
        if name.origin == "everyday":
            return 1.0
        keep = 0.5 if len(name.text) > 40 or name.category is None else 1.0
        return float(dice("thin", name.text).random() ** (rarest / 300 / keep))

    kept = sorted(names, key=worth, reverse=True)[:most]
    chosen = {n.text for n in kept}
    return [n for n in names if n.text in chosen]


def table(sources: Path) -> list[Row]:
    """All rows, in a stable order."""
    lexicon, named = ingredients(sources)
    nothing = negatives.collect(sources, lexicon)
    everything = joined([*named, *(n for n in nothing if normal(n.text) not in lexicon.known)])
    split = deal(everything)
    parts: dict[str, list[Name]] = defaultdict(list)
    for name in everything:
        parts[split[name.entry]].append(name)
    rows: list[Row] = list(handwritten())
    taken = {normal(str(row["text"])) for row in rows}
    for title in ("test", "validation", "train"):
        food = thin([n for n in parts[title] if n.food], NAMES[title])
        void = thin([n for n in parts[title] if not n.food], NEGATIVES[title])
        objects = [n for n in void if n.origin in COUNTABLE and len(n.text.split()) <= 3]
        batch = [
            *food,
            *compose([n for n in food if spoken(n)], PHRASES[title], "phrases", "phrases"),
            *void,
            *compose(objects, NEGATIVE_PHRASES[title], "hard_negatives", "objects"),
        ]
        for name in batch:
            key = normal(name.text)
            if key and key not in taken:
                taken.add(key)
                rows.append(as_row(name, title))
    order = {title: i for i, title in enumerate(SPLITS)}
    rows.sort(key=lambda r: (order[str(r["split"])], dice("order", r["text"]).random()))
    return rows


COUNTABLE = ("kitchen tool", "packaging", "food-word objects", "household", "poison and matter")


def spoken(name: Name) -> bool:
    """Whether a person would write this name in a recipe, rather than a factory on a label."""
    short = len(name.text) <= 32 and len(name.text.split()) <= 4
    if name.origin == "everyday":
        return True
    rare = name.category is not None and bool({"algae", "cocoa", "egg"} & set(name.category))
    plain = name.category is not None and "additive" not in name.category
    return short and (plain or rare) and "flavouring" not in (name.category or ())


def as_row(name: Name, split: str) -> Row:
    return {
        "text": name.text,
        "ingredient": "ingredient" if name.food else "not_ingredient",
        "source": name.source,
        "category": None if name.category is None else list(name.category),
        "split": split,
        "entry": name.entry,
        "slice": name.slice,
    }


def handwritten(path: Path = HANDWRITTEN) -> Iterable[Row]:
    """The test slice that people wrote by hand; the templates of this package never saw it."""
    if not path.exists():
        print(f"note: {path} is not there, building without the handwritten slice", file=sys.stderr)
        return
    with path.open(encoding="utf-8", newline="") as file:
        seen: set[str] = set()
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=3), start=1):
            if normal(row["text"]) in seen:
                continue
            seen.add(normal(row["text"]))
            cell = row["category"]
            yield {
                "text": row["text"],
                "ingredient": row["ingredient"],
                "source": row["source"] or None,
                "category": [] if cell == "[]" else list(labels(cell)) if cell else None,
                "split": "test",
                "entry": f"hand:{number}",
                "slice": "handwritten",
            }


def packed(rows: Iterable[Row]) -> bytes:
    """The rows as gzipped JSON lines; no time stamp, so equal rows are equal bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write(lines.encode("utf-8"))
    return held.getvalue()


def write(path: Path, content: bytes) -> None:
    """Aside first, then into place: a killed build leaves the old table."""
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(content)
    aside.replace(path)


def summary(rows: Sequence[Row]) -> str:
    """Counts per split and slice, then per label, as a table for people."""
    slices = sorted({str(r["slice"]) for r in rows})
    lines = ["split".ljust(12) + "".join(s.rjust(16) for s in slices) + "total".rjust(8)]
    for split in SPLITS:
        count = Counter(str(r["slice"]) for r in rows if r["split"] == split)
        lines.append(
            split.ljust(12) + "".join(str(count[s]).rjust(16) for s in slices)
            + str(sum(count.values())).rjust(8)
        )  # fmt: skip
    lines.append("")
    for column in ("ingredient", "source", "category"):
        counts: Counter[tuple[str, str]] = Counter()
        for row in rows:
            value = row[column]
            for label in value or ["[]"] if isinstance(value, list) else [value]:
                counts[str(row["split"]), str(label)] += 1
        for label in sorted({label for _, label in counts}):
            numbers = "".join(str(counts[s, label]).rjust(8) for s in SPLITS)
            lines.append(f"{column:<11}{label:<16}{numbers}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder of the raw files")
    parser.add_argument("--out", type=Path, default=OUT, help="the table to write")
    parser.add_argument("--extras", action="store_true", help="also extras.jsonl.gz")
    chosen = parser.parse_args(arguments)
    absent = missing(chosen.sources, REQUIRED | (EXTRAS if chosen.extras else {}))
    if absent:
        print("\n".join(absent), file=sys.stderr)
        return 2
    rows = table(chosen.sources)
    write(chosen.out, packed(rows))
    print(summary(rows))
    if chosen.extras:
        more = extras.rows(chosen.sources)
        write(chosen.out.with_name("extras.jsonl.gz"), packed(more))
        print(f"\n{len(more)} rows in extras.jsonl.gz, not to be passed on")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
