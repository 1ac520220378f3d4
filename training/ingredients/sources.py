"""Where the raw files are, and where anybody gets them when they are not."""

from __future__ import annotations

from pathlib import Path

OFF = "https://static.openfoodfacts.org/data/taxonomies/"
USDA = "https://fdc.nal.usda.gov/download-datasets"
OEWN = "https://en-word.net (github.com/globalwordnet/english-wordnet)"
WORDLISTS = "github.com/imsky/wordlists"

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
    "wordlists/nouns": WORDLISTS,
}
EXTRAS: dict[str, str] = {
    "recipes/bbc.csv.gz": "a table of recipe ingredient lines with a column `name`, of your own",
    "google_taxonomy.txt": "https://www.google.com/basepages/producttype/taxonomy.en-US.txt",
}


def missing(folder: Path, wanted: dict[str, str]) -> list[str]:
    """One line for every file that is not there: its name and the place to get it."""
    return [
        f"missing {folder / name}: get it from {place}"
        for name, place in wanted.items()
        if not (folder / name).exists()
    ]
