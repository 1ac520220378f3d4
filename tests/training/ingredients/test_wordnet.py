"""Does the tree of WordNet label its names, and is what misleads left out?"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from training.ingredients import definitions
from training.ingredients.wordnet import (
    DISH,
    BranchLabels,
    Synset,
    curated_synsets,
    kinds_below,
    nearest_branch,
    read_synsets,
)

SYNSETS = {
    "1": Synset("food", ("food",), "any substance that is eaten", ()),
    "2": Synset("food", ("fruit",), "what a plant bears", ("1",)),
    "3": Synset("food", ("mandarin",), "a small orange", ("2",)),
    "4": Synset("food", ("tangerine",), "a deep orange mandarin", ("3",)),
    "5": Synset("food", ("pie",), "a dish baked in pastry", ("1",)),
    "6": Synset("plant", ("mandarin tree", "Citrus reticulata"), "a shrub", ("2",)),
}
FRUIT = BranchLabels("plant", ("fruit",))


def test_a_synset_takes_the_labels_of_its_nearest_labelled_ancestor() -> None:
    pie = BranchLabels(None, None, DISH)
    branches = {"2": FRUIT, "5": pie}
    assert nearest_branch("4", SYNSETS, branches) == FRUIT
    assert nearest_branch("5", SYNSETS, branches) == pie
    assert nearest_branch("1", SYNSETS, branches) is None


def test_the_kinds_below_a_synset_are_all_kinds_of_its_kinds() -> None:
    assert kinds_below("2", SYNSETS) == ["2", "3", "4", "6"]


def test_a_curated_row_that_names_another_synset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"wordnet\.tsv: \S+ is 'no synset', not '.+'"):
        list(curated_synsets("wordnet.tsv", SYNSETS))


def test_definitions_say_what_a_name_is_a_kind_of_and_leave_latin_out(tmp_path: Path) -> None:
    path = tmp_path / "synsets.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for synset_id, synset in SYNSETS.items():
            entry = {
                "id": synset_id,
                "lexfile": synset.lexfile,
                "members": synset.members,
                "definition": synset.definition,
                "hypernym": synset.hypernyms,
            }
            file.write(json.dumps(entry) + "\n")
    assert read_synsets(path) == SYNSETS
    texts = [row["text"] for row in definitions.definition_rows(path)]
    assert texts[2] == "tangerine, a kind of mandarin: a deep orange mandarin"
    assert texts[4:] == ["mandarin tree, a kind of fruit: a shrub"]
