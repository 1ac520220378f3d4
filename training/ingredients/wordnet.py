"""Open English WordNet: names of food labelled by where they stand in its tree, and what is none.

`curated/wordnet.tsv` says what the branches of the tree mean, and where it misleads: a synset
takes the meaning of its nearest labelled ancestor. Dishes, and words that say nothing on their own
(`curated/wordnet_drop.txt`), are neither ingredient nor negative. Plants and animals that people
cook are named one by one (`curated/wordnet_living.tsv`): the tree does not say which are eaten.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from training.ingredients.lexicon import Lexicon
from training.ingredients.names import Category, Name, labels
from training.ingredients.off import is_usable
from training.ingredients.sources import CURATED, cells, curated
from training.rows.splits import normalise

FOOD = "food"  # the lexicographer file
DISH = "dish"  # food, but nothing that goes into food: no label would be right
VAGUE = "-"


@dataclass(frozen=True)
class Synset:
    """One meaning: its nouns, its definition, and the ids of what it is a kind of."""

    lexfile: str
    members: tuple[str, ...]
    definition: str
    hypernyms: tuple[str, ...]


@dataclass(frozen=True)
class BranchLabels:
    """What a branch of the tree says about its names; `reason` is why they have no labels."""

    source: str | None
    category: Category
    reason: str = ""


def read_synsets(path: Path) -> dict[str, Synset]:
    """All noun synsets by id, in the order of the file."""
    synsets = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            members, hypernyms = tuple(entry["members"]), tuple(entry["hypernym"])
            synset = Synset(entry["lexfile"], members, entry["definition"], hypernyms)
            synsets[entry["id"]] = synset
    return synsets


def wordnet_names(synsets: Mapping[str, Synset], lexicon: Lexicon) -> list[Name]:
    """Names of food that has one meaning, and of plants and animals that people cook."""
    branches = _branches(synsets)
    families: dict[str, str] = {}
    meanings: dict[str, set[BranchLabels]] = defaultdict(set)
    for synset_id, synset in synsets.items():
        if synset.lexfile != FOOD:
            continue
        branch = nearest_branch(synset_id, synsets, branches)
        if branch is not None and branch.reason != VAGUE:
            family = _family(synset, lexicon)
            for member in synset.members:
                families.setdefault(member, family)
                meanings[member].add(branch)
    dropped = {normalise(text) for text in (*curated("wordnet_drop.txt"), *curated("off_drop.txt"))}
    names = []
    for text, (branch, *others) in meanings.items():
        if not others and not branch.reason and is_usable(normalise(text), dropped):
            names.append(_name(text, branch.source, branch.category, families[text]))
    return [*names, *_living_names(synsets, lexicon)]


def nearest_branch(
    synset_id: str, synsets: Mapping[str, Synset], branches: Mapping[str, BranchLabels]
) -> BranchLabels | None:
    """The labels of the synset or of its nearest ancestor that has some, among food."""
    seen, level = {synset_id}, [synset_id]
    while level:
        for ancestor in level:
            if ancestor in branches:
                return branches[ancestor]
        above = dict.fromkeys(parent for child in level for parent in synsets[child].hypernyms)
        level = [p for p in above if p not in seen and synsets[p].lexfile == FOOD]
        seen.update(level)
    return None


def kinds_below(root: str, synsets: Mapping[str, Synset]) -> list[str]:
    """Ids of the synset and of everything that is a kind of it, in the order of the file."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for synset_id, synset in synsets.items():
        for parent in synset.hypernyms:
            kinds[parent].append(synset_id)
    reached, pending = {root}, [root]
    while pending:
        new = [kind for kind in kinds[pending.pop()] if kind not in reached]
        reached.update(new)
        pending += new
    return [synset_id for synset_id in synsets if synset_id in reached]


def curated_synsets(file: str, synsets: Mapping[str, Synset]) -> Iterator[dict[str, str]]:
    """Rows of a list in `curated/` whose columns `synset` and `name` name a synset.

    Raises ValueError where WordNet has no such synset, or another first name for it.
    """
    for row in cells(CURATED / file):
        synset = synsets.get(row["synset"])
        actual = synset.members[0] if synset else "no synset"
        if actual != row["name"]:
            raise ValueError(f"{file}: {row['synset']} is {actual!r}, not {row['name']!r}")
        yield row


def _branches(synsets: Mapping[str, Synset]) -> dict[str, BranchLabels]:
    branches = {}
    for row in curated_synsets("wordnet.tsv", synsets):
        if row["category"] in (DISH, VAGUE):
            branches[row["synset"]] = BranchLabels(None, None, row["category"])
        else:
            source = None if row["source"] == "null" else row["source"]
            branches[row["synset"]] = BranchLabels(source, labels(row["category"]))
    return branches


def _living_names(synsets: Mapping[str, Synset], lexicon: Lexicon) -> Iterator[Name]:
    nouns = {member for synset in synsets.values() for member in synset.members}
    for row in cells(CURATED / "wordnet_living.tsv"):
        for text in row["names"].split("; "):
            if text not in nouns:
                raise ValueError(f"wordnet_living.tsv: {text!r} is no noun of WordNet")
            yield _name(text, row["source"], labels(row["category"]), lexicon.family(text))


def _family(synset: Synset, lexicon: Lexicon) -> str:
    """Synonyms are one family: that of the first which is known, or of the first of all."""
    known = (lexicon.known.get(normalise(member)) for member in synset.members)
    relative = next((name for name in known if name), None)
    return relative.entry if relative else lexicon.family(synset.members[0])


def _name(text: str, source: str | None, category: Category, family: str) -> Name:
    return Name(text, True, source, category, family, "names", "oewn")
