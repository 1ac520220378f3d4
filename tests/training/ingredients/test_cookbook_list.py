"""Is the list of what a cookbook's index lists fit to measure a bundle by?"""

from __future__ import annotations

from collections import Counter

from training.ingredients.cookbook import LIST, judge
from training.ingredients.names import SOURCES, labels
from training.ingredients.sources import cells
from training.rows.splits import normalise

ENTRIES = list(cells(LIST))


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


def test_an_answer_is_right_if_it_gives_a_category_and_none_that_is_not_listed() -> None:
    entry = {"ingredient": "ingredient", "source": "plant", "category": "herb|spice"}
    right = {"ingredient": ["ingredient"], "source": ["plant"], "category": ["spice"]}
    assert judge(entry, right) == {"ingredient": True, "source": True, "category": True}
    for categories in ([], ["spice", "fruit"]):
        assert judge(entry, {**right, "category": categories})["category"] is False
    thing = {"ingredient": "not_ingredient", "source": "", "category": "[]"}
    assert judge(thing, right) == {"ingredient": False}
