"""Is the list of what a cookbook's index lists fit to measure a bundle by?"""

from __future__ import annotations

from collections import Counter

from training.ingredients.build import HERE
from training.ingredients.names import SOURCES, labels
from training.ingredients.sources import cells
from training.rows.splits import normalise

ENTRIES = list(cells(HERE / "cookbook.tsv"))


def test_the_list_has_five_hundred_names_and_each_once() -> None:
    assert len(ENTRIES) == 500
    counts = Counter(normalise(entry["name"]) for entry in ENTRIES)
    assert [name for name, count in counts.items() if count > 1 or not name] == []


def test_the_list_speaks_in_the_labels_of_the_table() -> None:
    for entry in ENTRIES:
        if entry["ingredient"] == "not_ingredient":
            assert (entry["source"], labels(entry["category"])) == ("", ()), entry
        else:
            assert entry["ingredient"] == "ingredient", entry
            assert entry["source"] in (*SOURCES, ""), entry
            assert labels(entry["category"]), entry
