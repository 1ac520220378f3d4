"""What is no ingredient, from words that are surely none to words that look like one.

A classifier that has seen only food calls everything food. WordNet, word lists and packaging,
country and brand names give the easy part; things with a food word inside ("butter knife",
"apple orchard"), sentences about food and plain rubbish give the hard part. Whatever an eater
could defend as an ingredient is left out rather than called a negative.
"""

from __future__ import annotations

import csv
import gzip
import random
import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from training.ingredients.lexicon import Lexicon
from training.ingredients.names import Name, dice, normal, read_list, read_tsv, words
from training.ingredients.off import english, load

SAFE_LEXFILES = frozenset(
    {
        "artifact", "person", "act", "communication", "attribute", "feeling", "time", "location",
        "event", "state", "cognition", "process", "phenomenon", "shape", "group", "motive",
        "relation",
    }
)  # fmt: skip
LISTS = (
    "3d_graphics", "3d_printing", "accounting", "algorithms", "architecture", "astronomy",
    "automobiles", "buildings", "car_parts", "cats", "coding", "construction", "corporate",
    "corporate_job", "data_structures", "design", "dogs", "driving", "filmmaking",
    "fortifications", "furniture", "gaming", "geography", "geometry", "ghosts", "history",
    "houses", "infrastructure", "insurance", "linear_algebra", "machine_learning",
    "military_airforce", "military_army", "military_navy", "monkeys", "music_instruments",
    "music_production", "music_theory", "phones", "physics", "physics_optics", "physics_units",
    "physics_waves", "radio", "real_estate", "screenwriting", "set_theory", "snakes", "software",
    "sports", "startups", "travel", "typography", "vcs", "web_development", "writing",
)  # fmt: skip
# Marks of protected origin are the names of foods.
ORIGIN = re.compile(r"\b(PGI|PDO|DO|AOP|AOC|IGP|DOP|TSG|STG|IGT|DOC|DOCG|Yakult)\b")
PLAIN = re.compile(r"[a-z][a-z' -]+", re.IGNORECASE)
CHEMICAL = re.compile(r"\b(acid|\w*(sodium|potassium|calcium|magnesium|chloride|oxide|protein))\b")


def no_food(text: str, entry: str, slice_: str, origin: str) -> Name:
    return Name(" ".join(text.split()), False, None, (), entry, slice_, origin)


class Guard:
    """Says whether a text is, or contains, a known food word."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.whole = {words(text) for text in lexicon.known}
        self.inside = {key[0] for key in self.whole if len(key) == 1}

    def is_food(self, text: str) -> bool:
        return words(text) in self.whole

    def has_food(self, text: str) -> bool:
        return any(w in self.inside for w in words(text))


def wordnet(path: Path, guard: Guard, plain: int, hard: int) -> list[Name]:
    """Nouns whose every sense is of a kind that nobody eats; words with many senses first.

    The number of senses stands in for how common a word is: everyday words have several.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    senses: dict[str, int] = defaultdict(int)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            kinds[row["lemma"]].add(row["lexfile"])
            senses[row["lemma"]] += 1
    edible = {normal(lemma) for lemma, found in kinds.items() if not found <= SAFE_LEXFILES}
    unfit = re.compile(rf"\b({'|'.join(map(re.escape, read_list('unfit.txt')))})", re.IGNORECASE)
    dishes = set(read_list("dish_words.txt"))
    easy: list[tuple[float, str]] = []
    near: list[tuple[float, str]] = []
    for lemma in sorted(kinds):
        usable = PLAIN.fullmatch(lemma) and 3 <= len(lemma) <= 22 and len(lemma.split()) <= 3
        if not usable or unfit.search(lemma) or CHEMICAL.search(lemma):
            continue
        if normal(lemma) in edible or guard.is_food(lemma) or words(lemma)[-1] in dishes:
            continue
        common = senses[lemma] + (1.0 if len(lemma) <= 9 else 0.0) + 0.5 * lemma.islower()
        draw = dice("oewn", lemma).random() ** (1 / common)
        if not guard.has_food(lemma):
            easy.append((draw, lemma))
        elif not guard.has_food(lemma.split()[-1]):  # "sour grapes" are grapes to an eater
            near.append((draw, lemma))
    easy.sort(reverse=True)
    near.sort(reverse=True)
    found = [no_food(t, f"not:{words(t)[-1]}", "negatives", "oewn") for _, t in easy[:plain]]
    return found + [
        no_food(t, f"not:{words(t)[-1]}", "hard_negatives", "oewn") for _, t in near[:hard]
    ]


def word_lists(folder: Path, guard: Guard, each: int) -> list[Name]:
    """Topical lists; a list's words are shuffled so that no alphabet is favoured."""
    found = []
    for title in LISTS:
        listed = [w.strip() for w in (folder / f"{title}.txt").read_text().splitlines()]
        listed = sorted({w.replace("_", " ") for w in listed if len(w) > 2})
        listed = [w for w in listed if not guard.has_food(w) and not guard.is_food(w)]
        dice("wordlists", title).shuffle(listed)
        found += [
            no_food(w, f"not:{words(w)[-1]}", "negatives", "wordlists")
            for w in listed[:each]
            if words(w)
        ]
    return found


def off_other(folder: Path, guard: Guard) -> list[Name]:
    """Names on packages that are not ingredients: countries, brands, labels, packaging."""
    found = []
    abroad = foreign_foods(folder / "ingredients.full.json.gz")
    for title, most in (
        ("countries", 110),
        ("packaging_shapes", 60),
        ("packaging_materials", 90),
        ("packaging_recycling", 12),
        ("labels", 240),
        ("brands", 300),
    ):
        tree = load(folder / f"{title}.full.json.gz")
        texts = sorted({english(node)[0] for node in tree.values() if english(node)})
        dice("off", title).shuffle(texts)
        kept = []
        for text in texts:
            code = bool(re.search(r"-\w+-\d|\d{3}", text))
            latin = not re.search(r"[^\x00-\u024f]", text) and len(text) <= 40
            if not latin or guard.is_food(text) or guard.has_food(text) or not words(text):
                continue
            if ORIGIN.search(text) or abroad & set(words(text)):
                continue
            if len(text) < 4 or (code and dice(text).random() > 0.1):
                continue
            kept.append(no_food(text, f"{title}:{normal(text)}", "negatives", title))
        found += kept[:most]
    return found


def foreign_foods(path: Path) -> set[str]:
    """One-word ingredients of every language: brands are often named after food abroad."""
    return {
        found[0]
        for node in load(path).values()
        for name in node.get("name", {}).values()
        if name and len(found := words(name)) == 1 and len(found[0]) > 3
    }


def things() -> list[Name]:
    """Hand-written things, many with a food word inside; relatives share their last word."""
    found = []
    for row in read_tsv("things.tsv"):
        hard = row["group"] in ("kitchen tool", "packaging", "food-word objects", "body", "people")
        hard = hard or row["group"].startswith(("brands", "feelings", "poison", "animals"))
        for text in row["items"].split("; "):
            slice_ = "hard_negatives" if hard else "negatives"
            found.append(no_food(text, f"not:{words(text)[-1]}", slice_, row["group"]))
    return found


def sentences() -> list[Name]:
    """Instructions, questions and headings, as they slip in beside ingredient lines."""
    return [
        no_food(text, f"not:{normal(text)}", "hard_negatives", row["group"])
        for row in read_tsv("sentences.tsv")
        for text in row["items"].split("; ")
    ]


def compounds(most: int) -> list[Name]:
    """A food word made into something else: "cherry orchard keyring" is nobody's ingredient.

    Grouped by what it was made into, so that the test split asks about unseen things.
    """
    slots = {row["slot"]: row["words"].split("|") for row in read_tsv("compounds.tsv")}
    found = [
        no_food(f"{food} {head}", f"not:{words(head)[-1]}", "hard_negatives", "compound")
        for kind in ("produce", "animal", "dish")
        for food in slots[kind]
        for head in slots[f"head_{kind}"]
    ]
    dice("compounds").shuffle(found)
    return found[:most]


def rubbish(each: int) -> list[Name]:
    """Texts without meaning: mashed keys, numbers, addresses, punctuation, syllables."""
    rng = dice("rubbish")
    makers: dict[str, Callable[[], str]] = {
        "mash": lambda: "".join(rng.choices(rng.choice(KEYS), k=rng.randint(4, 12))),
        "letters": lambda: "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 13))),
        "mashed words": lambda: " ".join(
            "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 8)))
            for _ in range(rng.randint(2, 4))
        ),
        "syllables": lambda: " ".join(
            "".join(rng.choice(ONSETS) + rng.choice(RIMES) for _ in range(rng.randint(2, 4)))
            for _ in range(rng.randint(1, 2))
        ),
        "number": lambda: number(rng),
        "address": lambda: address(rng),
        "marks": lambda: "".join(rng.choices("!?.,;:-_*#@/\\|+=~%&$()[]{}<>", k=rng.randint(1, 7))),
        "emoji": lambda: "".join(rng.choices(EMOJI, k=rng.randint(1, 3))),
    }
    found = []
    for title, make in makers.items():
        texts: dict[str, None] = {}
        while len(texts) < (each if title not in ("marks", "emoji") else each // 2):
            texts.setdefault(make())
        found += [no_food(t, f"{title}:{t}", "hard_negatives", title) for t in texts]
    return found


KEYS = ("asdfghjkl", "qwertyuiop", "zxcvbnm", "asdfjkl;", "qweasdzxc", "dfghjk")
ONSETS = ("bl", "gr", "z", "fl", "sn", "kr", "v", "dr", "qu", "w", "pl", "m", "th", "sk", "gl")
RIMES = ("org", "ib", "ump", "axi", "erf", "ogg", "unt", "izzle", "ork", "eeb", "oosh", "ax", "ip")
EMOJI = "😀😂😭😍😡👍👎🙏🎉🔥💀🚗🚀⚽🏀🎸🎮💻📱🏠🌍🌙❤💔✨🐶🐱👻🤖👀"


def number(rng: random.Random) -> str:
    n = rng.randint(1, 10 ** rng.randint(1, 6))
    shape = rng.choice(["{}", "{} kg", "{}%", "{} cm", "£{}", "$ {}.99", "{} minutes", "{}°C"])
    shape = rng.choice([shape, "#{}", "{} x 2", "{}g", "{} ml", "call 0800 {}", "{} cups", "{} lb"])
    return shape.format(n)


def address(rng: random.Random) -> str:
    word = "".join(rng.choice(ONSETS) + rng.choice(RIMES) for _ in range(2))
    shape = rng.choice(["https://www.{}.com", "{}@mail.org", "www.{}.net/page?id={}", "@{}"])
    shape = rng.choice([shape, "http://{}.io/{}", "{}.pdf", "#{}", "/home/{}/{}.txt", "<b>{}</b>"])
    return shape.format(word, rng.randint(1, 999))


def collect(sources: Path, lexicon: Lexicon) -> list[Name]:
    """All negatives, each text once; the hand-written ones win over the sampled ones."""
    guard = Guard(lexicon)
    written = [n for n in [*things(), *sentences()] if not guard.is_food(n.text)]
    return unique(
        [
            *written,
            *compounds(1150),
            *rubbish(60),
            *wordnet(sources / "oewn" / "nouns.tsv.gz", guard, 4300, 500),
            *off_other(sources / "off", guard),
            *word_lists(sources / "wordlists" / "nouns", guard, 22),
        ]
    )


def unique(names: Iterable[Name]) -> list[Name]:
    found: dict[str, Name] = {}
    for name in names:
        found.setdefault(normal(name.text), name)
    return list(found.values())
