"""Which nouns of Open English WordNet are surely no ingredients?

Everyday words by their lexicographer files, and hard ones by branches of the tree: kitchen tools,
animals and plants that nobody eats, trees and bushes that bear a food's name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from training.ingredients.lexicon import FoodWords
from training.ingredients.names import seeded, words
from training.ingredients.sources import cells, curated
from training.ingredients.wordnet import FOOD, Synset, curated_synsets, kinds_below
from training.rows.splits import normalise

SAFE_LEXFILES = frozenset(
    {
        "artifact", "person", "act", "communication", "attribute", "feeling", "time", "location",
        "event", "state", "cognition", "process", "phenomenon", "shape", "group", "motive",
        "relation",
    }
)  # fmt: skip
PLAIN = re.compile(r"[a-z][a-z' -]+", re.IGNORECASE)
CHEMICAL = re.compile(r"\b(acid|\w*(sodium|potassium|calcium|magnesium|chloride|oxide|protein))\b")
EDIBLE = re.compile(
    r"\b(edible|eaten|foods?|salads?|culinary|cook\w*|season\w*|flavou?r\w*|pot ?herb|delicacy|"
    r"spices?|beverages?|tea|fruits?|nuts?|berries|seeds|oil|vegetables?|meat|flesh|cultivated)\b"
)
BEARERS = frozenset({"tree", "bush", "plant", "vine", "palm", "shrub"})
MAX_BEARERS = 170


def wordnet_things(synsets: Mapping[str, Synset], food: FoodWords) -> Iterator[tuple[str, str]]:
    """(noun, group): samples of branches in `curated/wordnet_things.tsv`, and what bears food."""
    edible = {normalise(m) for s in synsets.values() if s.lexfile == FOOD for m in s.members}
    edible |= set(map(normalise, curated("wordnet_drop.txt")))
    unfit = _unfit()

    def is_usable(noun: str) -> bool:
        is_food = normalise(noun) in edible or food.is_food(noun)
        return bool(_is_plain(noun)) and not is_food and not unfit.search(noun)

    for row in curated_synsets("wordnet_things.tsv", synsets):
        kinds = [synsets[kind] for kind in kinds_below(row["synset"], synsets)]
        nouns = {
            synset.members[0]
            for synset in kinds
            if synset.lexfile == "artifact" or not EDIBLE.search(synset.definition)
        }
        for noun in _sample(filter(is_usable, nouns), int(row["count"])):
            if not food.has_food(noun.split()[-1]):
                yield noun, row["group"]
    bearers = {
        member
        for synset in synsets.values()
        if synset.lexfile == "plant"
        for member in synset.members
        if words(member)[-1] in BEARERS and food.has_food(member)
    }
    for noun in _sample(filter(is_usable, bearers), MAX_BEARERS):
        yield noun, "food-word objects"


def wordnet_nouns(path: Path, food: FoodWords, easy: int, hard: int) -> Iterator[tuple[str, bool]]:
    """(noun, whether it has a food word inside): nouns whose every sense is of a kind nobody eats.

    Words with many senses come first: their number stands in for how common a word is.
    """
    lexfiles: dict[str, set[str]] = defaultdict(set)
    senses: Counter[str] = Counter()
    for row in cells(path):
        lexfiles[row["lemma"]].add(row["lexfile"])
        senses[row["lemma"]] += 1
    edible = {normalise(lemma) for lemma, kinds in lexfiles.items() if not kinds <= SAFE_LEXFILES}
    unfit = _unfit()
    dishes = set(curated("dish_words.txt"))
    drawn: dict[bool, list[tuple[float, str]]] = {False: [], True: []}
    for lemma in sorted(lexfiles):
        if not _is_plain(lemma) or unfit.search(lemma) or CHEMICAL.search(lemma):
            continue
        if normalise(lemma) in edible or food.is_food(lemma) or words(lemma)[-1] in dishes:
            continue
        is_hard = food.has_food(lemma)
        if is_hard and food.has_food(lemma.split()[-1]):
            continue  # "sour grapes" are grapes to an eater
        common = senses[lemma] + (1.0 if len(lemma) <= 9 else 0.0) + 0.5 * lemma.islower()
        drawn[is_hard].append((seeded("oewn", lemma).random() ** (1 / common), lemma))
    for is_hard, count in ((False, easy), (True, hard)):
        for _, lemma in sorted(drawn[is_hard], reverse=True)[:count]:
            yield lemma, is_hard


def _is_plain(noun: str) -> bool:
    """Letters alone, as short as what people type."""
    is_short = 3 <= len(noun) <= 22 and len(noun.split()) <= 3
    return bool(PLAIN.fullmatch(noun)) and is_short


def _unfit() -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(map(re.escape, curated('unfit.txt')))})", re.IGNORECASE)


def _sample(nouns: Iterator[str], count: int) -> list[str]:
    return sorted(nouns, key=lambda noun: seeded("things", noun).random())[:count]
