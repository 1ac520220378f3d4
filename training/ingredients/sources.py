"""Which files is the table built from, how are they read, and where does anybody get them?"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from model.aside import file_aside
from tables.reader import Fields

CURATED = Path(__file__).parent / "curated"
OFF = "https://static.openfoodfacts.org/data/taxonomies/"
USDA = "https://fdc.nal.usda.gov/download-datasets"
OEWN = "https://en-word.net (github.com/globalwordnet/english-wordnet)"
WORDLISTS = "github.com/imsky/wordlists"
SYNSETS = "oewn/synsets.jsonl.gz"

REQUIRED: dict[str, str] = {
    "off/ingredients.full.json.gz": OFF,
    "off/countries.full.json.gz": OFF,
    "off/labels.full.json.gz": OFF,
    "off/brands.full.json.gz": OFF,
    "off/packaging_shapes.full.json.gz": OFF,
    "off/packaging_materials.full.json.gz": OFF,
    "off/packaging_recycling.full.json.gz": OFF,
    "usda/fdc_ingredients.csv.gz": USDA,
    "oewn/nouns.tsv.gz": OEWN,
    SYNSETS: OEWN,
    "wordlists/nouns": WORDLISTS,
}
EXTRAS: dict[str, str] = {
    "recipes/bbc.csv.gz": "a table of recipe ingredient lines with a column `name`, of your own",
    "google_taxonomy.txt": "https://www.google.com/basepages/producttype/taxonomy.en-US.txt",
}
Node = dict[str, Any]
"""An entry of an Open Food Facts taxonomy: its names, parents and flags."""


def command_line(description: str | None, out: Path) -> argparse.ArgumentParser:
    """The options that both builders have; `out` is what they write by default."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder of the raw files")
    parser.add_argument("--out", type=Path, default=out, help="the file to write")
    return parser


def are_there(folder: Path, required: dict[str, str]) -> bool:
    """Whether all files are; prints each that is missing and the place to get it."""
    missing = {folder / name: place for name, place in required.items()}
    missing = {path: place for path, place in missing.items() if not path.exists()}
    for path, place in missing.items():
        print(f"missing {path}: get it from {place}", file=sys.stderr)
    return not missing


def cells(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV or TSV file, compressed or not; cells that a row lacks at its end are empty.

    Raises ValueError for a row with more cells than its header.
    """
    is_tsv = ".tsv" in path.name
    form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if is_tsv else {}
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restval="", **form)
        for row in reader:
            if None in row:
                raise ValueError(f"{path} line {reader.line_num}: more cells than its header names")
            yield row


def curated(name: str) -> list[str]:
    """Lines of a hand-written list in `curated/`; `#` starts a comment."""
    lines = (CURATED / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def taxonomy(path: Path) -> dict[str, Node]:
    """One taxonomy of Open Food Facts, by id."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        nodes: dict[str, Node] = json.load(file)
    return nodes


def packed(rows: Iterable[Fields]) -> bytes:
    """The rows as gzipped JSON lines; no time stamp, so equal rows are equal bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    content = io.BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=9, mtime=0, filename="") as file:
        file.write(lines.encode("utf-8"))
    return content.getvalue()


def write_rows(path: Path, rows: Iterable[Fields]) -> None:
    """Write the packed rows whole, or leave what is there."""
    with file_aside(path) as aside:
        aside.write_bytes(packed(rows))
