"""What is no ingredient, from words that are surely none to words that look like one.

A classifier that has seen only food calls everything food. WordNet, word lists and packaging,
country and brand names give the easy part; things with a food word inside ("butter knife",
"apple orchard"), sentences about food and plain rubbish give the hard part. Whatever an eater
could defend as an ingredient is left out rather than called a negative.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from training.ingredients.lexicon import FoodWords, Lexicon
from training.ingredients.names import Name, seeded, words
from training.ingredients.off import english_names
from training.ingredients.sources import CURATED, cells, curated, taxonomy
from training.ingredients.wordnet import Synset
from training.ingredients.wordnet_negatives import wordnet_nouns, wordnet_things
from training.rows.splits import normalise

HARD_GROUPS = (
    "kitchen tool", "packaging", "food-word objects", "body", "people", "brands", "feelings",
    "poison", "animals", "plants", "feed", "technique",
)  # fmt: skip
"""How the groups of things begin that a classifier may take for food."""
NOUNS = "oewn/nouns.tsv.gz"
PACKAGE_NAMES = {
    "countries": 110,
    "packaging_shapes": 60,
    "packaging_materials": 90,
    "packaging_recycling": 12,
    "labels": 240,
    "brands": 300,
}
"""Other taxonomies of Open Food Facts, and how many of their names to take."""
# Marks of protected origin are the names of foods.
ORIGIN = re.compile(r"\b(PGI|PDO|DO|AOP|AOC|IGP|DOP|TSG|STG|IGT|DOC|DOCG|Yakult)\b")


def negatives(sources: Path, synsets: Mapping[str, Synset], lexicon: Lexicon) -> list[Name]:
    """All negatives, each text once; the hand-written ones win over the sampled ones."""
    food = FoodWords(lexicon)
    unique: dict[str, Name] = {}
    for name in (
        *(name for name in (*_things(), *_sentences()) if not food.is_food(name.text)),
        *_compounds(3400),
        *_rubbish(60),
        *(_negative(*noun, is_hard=True) for noun in wordnet_things(synsets, food)),
        *(
            _negative(noun, "oewn", is_hard)
            for noun, is_hard in wordnet_nouns(sources / NOUNS, food, easy=5600, hard=500)
        ),
        *_package_names(sources / "off", food),
        *_word_lists(sources / "wordlists" / "nouns", food, each=22),
    ):
        unique.setdefault(normalise(name.text), name)
    return list(unique.values())


def _negative(text: str, origin: str, is_hard: bool, family: str | None = None) -> Name:
    """Relatives share their last word unless `family` is given."""
    entry = family or f"not:{words(text)[-1]}"
    slice_name = "hard_negatives" if is_hard else "negatives"
    return Name(" ".join(text.split()), False, None, (), entry, slice_name, origin)


def _things() -> Iterator[Name]:
    """Hand-written things, many with a food word inside."""
    for row in cells(CURATED / "things.tsv"):
        for text in row["items"].split("; "):
            yield _negative(text, row["group"], row["group"].startswith(HARD_GROUPS))


def _sentences() -> Iterator[Name]:
    """Instructions, questions and headings, as they slip in beside ingredient lines."""
    for row in cells(CURATED / "sentences.tsv"):
        for text in row["items"].split("; "):
            yield _negative(text, row["group"], True, f"not:{normalise(text)}")


def _compounds(count: int) -> list[Name]:
    """A food word made into something else: "cherry orchard keyring" is nobody's ingredient.

    Grouped by what it was made into, so that the test split asks about unseen things.
    """
    slots = {row["slot"]: row["words"].split("|") for row in cells(CURATED / "compounds.tsv")}
    compounds = [
        _negative(f"{food} {head}", "compound", True)
        for kind in ("produce", "animal", "dish")
        for food in slots[kind]
        for head in slots[f"head_{kind}"]
    ]
    seeded("compounds").shuffle(compounds)
    return compounds[:count]


def _package_names(folder: Path, food: FoodWords) -> Iterator[Name]:
    """Names on packages that are not ingredients: countries, brands, labels, packaging."""
    foods_abroad = _foreign_foods(folder / "ingredients.full.json.gz")

    def is_usable(text: str) -> bool:
        if re.search(r"[^\x00-\u024f]", text) or not 4 <= len(text) <= 40 or not words(text):
            return False
        if food.is_food(text) or food.has_food(text) or foods_abroad & set(words(text)):
            return False
        is_code = re.search(r"-\w+-\d|\d{3}", text)
        return not ORIGIN.search(text) and (not is_code or seeded(text).random() <= 0.1)

    for kind, count in PACKAGE_NAMES.items():
        nodes = taxonomy(folder / f"{kind}.full.json.gz").values()
        texts = sorted({names[0] for names in map(english_names, nodes) if names})
        seeded("off", kind).shuffle(texts)
        for text in list(filter(is_usable, texts))[:count]:
            yield _negative(text, kind, False, f"{kind}:{normalise(text)}")


def _foreign_foods(path: Path) -> set[str]:
    """One-word ingredients of every language: brands are often named after food abroad."""
    names = (name for node in taxonomy(path).values() for name in node.get("name", {}).values())
    keys = (words(name) for name in names if name)
    return {key[0] for key in keys if len(key) == 1 and len(key[0]) > 3}


def _word_lists(folder: Path, food: FoodWords, each: int) -> Iterator[Name]:
    """Topical lists; a list's words are shuffled so that no alphabet is favoured."""
    for topic in curated("word_lists.txt"):
        lines = [line.strip() for line in (folder / f"{topic}.txt").read_text().splitlines()]
        texts = sorted({line.replace("_", " ") for line in lines if len(line) > 2})
        texts = [text for text in texts if not food.has_food(text) and not food.is_food(text)]
        seeded("wordlists", topic).shuffle(texts)
        for text in filter(words, texts[:each]):
            yield _negative(text, "wordlists", False)


def _rubbish(each: int) -> Iterator[Name]:
    """Texts without meaning: mashed keys, numbers, addresses, punctuation, syllables."""
    rng = seeded("rubbish")
    makers: dict[str, Callable[[], str]] = {
        "mash": lambda: "".join(rng.choices(rng.choice(KEYS), k=rng.randint(4, 12))),
        "letters": lambda: _letters(rng, 4, 13),
        "mashed words": lambda: " ".join(_letters(rng, 2, 8) for _ in range(rng.randint(2, 4))),
        "syllables": lambda: " ".join(
            _syllables(rng, rng.randint(2, 4)) for _ in range(rng.randint(1, 2))
        ),
        "number": lambda: _number(rng),
        "address": lambda: _address(rng),
        "marks": lambda: "".join(rng.choices("!?.,;:-_*#@/\\|+=~%&$()[]{}<>", k=rng.randint(1, 7))),
        "emoji": lambda: "".join(rng.choices(EMOJI, k=rng.randint(1, 3))),
    }
    for kind, make in makers.items():
        texts: dict[str, None] = {}
        while len(texts) < (each if kind not in ("marks", "emoji") else each // 2):
            texts.setdefault(make())
        for text in texts:
            yield _negative(text, kind, True, f"{kind}:{text}")


KEYS = ("asdfghjkl", "qwertyuiop", "zxcvbnm", "asdfjkl;", "qweasdzxc", "dfghjk")
ONSETS = ("bl", "gr", "z", "fl", "sn", "kr", "v", "dr", "qu", "w", "pl", "m", "th", "sk", "gl")
RIMES = ("org", "ib", "ump", "axi", "erf", "ogg", "unt", "izzle", "ork", "eeb", "oosh", "ax", "ip")
EMOJI = "😀😂😭😍😡👍👎🙏🎉🔥💀🚗🚀⚽🏀🎸🎮💻📱🏠🌍🌙❤💔✨🐶🐱👻🤖👀"


def _letters(rng: random.Random, fewest: int, most: int) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(fewest, most)))


def _syllables(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(ONSETS) + rng.choice(RIMES) for _ in range(count))


def _number(rng: random.Random) -> str:
    n = rng.randint(1, 10 ** rng.randint(1, 6))
    shape = rng.choice(["{}", "{} kg", "{}%", "{} cm", "£{}", "$ {}.99", "{} minutes", "{}°C"])
    shape = rng.choice([shape, "#{}", "{} x 2", "{}g", "{} ml", "call 0800 {}", "{} cups", "{} lb"])
    return shape.format(n)


def _address(rng: random.Random) -> str:
    word = _syllables(rng, 2)
    shape = rng.choice(["https://www.{}.com", "{}@mail.org", "www.{}.net/page?id={}", "@{}"])
    shape = rng.choice([shape, "http://{}.io/{}", "{}.pdf", "#{}", "/home/{}/{}.txt", "<b>{}</b>"])
    return shape.format(word, rng.randint(1, 999))
