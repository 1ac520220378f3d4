"""What names mean: Open English WordNet's definitions as text to pretrain the base on.

    python -m training.ingredients.definitions --sources ../shared/data

The question it serves: does a base that has read what a tangerine is label it better than one that
has only its letters? A recipe reads the file with `[pretrain] files`; git ignores it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tables.reader import Fields
from training.ingredients.sources import OEWN, SYNSETS, are_there, command_line, write_rows
from training.ingredients.wordnet import FOOD, Synset, read_synsets

OUT = Path(__file__).with_name("definitions.jsonl.gz")
LEXFILES = frozenset({FOOD, "plant", "animal", "substance"})


def definition_rows(path: Path) -> list[Fields]:
    """A row of a text alone for each name of each meaning, in the order of the file.

    Capitals stand for places in names of food, but for Latin in those of plants and animals, which
    are left out.
    """
    synsets = read_synsets(path)
    return [
        {"text": _text(member, synset, synsets[synset.hypernyms[0]])}
        for synset in synsets.values()
        if synset.lexfile in LEXFILES and synset.hypernyms
        for member in synset.members
        if synset.lexfile == FOOD or member.islower()
    ]


def _text(name: str, synset: Synset, hypernym: Synset) -> str:
    """The name, what it is a kind of, and its definition."""
    return f"{name}, a kind of {hypernym.members[0]}: {synset.definition}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = command_line(__doc__, OUT).parse_args(arguments)
    if not are_there(options.sources, {SYNSETS: OEWN}):
        return 2
    rows = definition_rows(options.sources / SYNSETS)
    write_rows(options.out, rows)
    print(f"{len(rows)} texts in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
