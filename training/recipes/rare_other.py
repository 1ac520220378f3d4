"""Tables with a rare label that matters: some intents of BANKING77 and HWU64 become `other`.

    python -m training.recipes.rare_other --sources ../shared/data --out training/recipes

A fifth of the test rows is `other`, as when people write what nobody planned for; of the rows to
train and to choose with only 1.6 % are. Half of the kinds of `other` stand in the test alone. The
hash of a label says whether it becomes `other`, the hash of a text whether its row stays. The
column `slice` says of a test row of `other` whether its kind is `taught` or `new`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from model.aside import write_text
from training.recipes import hwu64

OTHER = "other"
TEST_SHARE, LEARNT_SHARE = 0.2, 0.016
"""Of `other` among the test rows, and among those to train and to choose with."""


class Utterance(NamedTuple):
    text: str
    intent: str
    split: str
    slice: str | None = None


def banking77(sources: Path) -> list[Utterance]:
    """BANKING77 as its two CSV files have it; the run draws a validation split."""
    utterances = []
    for split in ("train", "test"):
        with (sources / f"{split}.csv").open(encoding="utf-8", newline="") as file:
            utterances += [
                Utterance(line["text"], line["category"], split) for line in csv.DictReader(file)
            ]
    return utterances


def hwu64_intents(sources: Path) -> list[Utterance]:
    """HWU64's 64 intents, without the task of its scenarios."""
    return [Utterance(row["text"], row["intent"], row["split"]) for row in hwu64.rows(sources)]


def with_other(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The utterances in their order: some intents renamed OTHER, and most of those left out."""
    kinds = _kinds(utterances)
    taught = set(kinds[::2])
    rows = []
    for split in sorted({utterance.split for utterance in utterances}):
        members = [utterance for utterance in utterances if utterance.split == split]
        rest = sum(utterance.intent not in kinds for utterance in members)
        others = sorted(
            (u for u in members if u.intent in (kinds if split == "test" else taught)),
            key=lambda utterance: _hash(utterance.text),
        )
        share = TEST_SHARE if split == "test" else LEARNT_SHARE
        staying = {*others[: round(rest * share / (1 - share))]}
        rows += [
            utterance
            if utterance.intent not in kinds
            else utterance._replace(
                intent=OTHER, slice="taught" if utterance.intent in taught else "new"
            )
            for utterance in members
            if utterance.intent not in kinds or utterance in staying
        ]
    return rows


def _kinds(utterances: Sequence[Utterance]) -> list[str]:
    """Intents that together have at least TEST_SHARE of the test rows."""
    sizes = Counter(utterance.intent for utterance in utterances if utterance.split == "test")
    kinds: list[str] = []
    for intent in sorted(sizes, key=_hash):
        if sum(sizes[kind] for kind in kinds) >= TEST_SHARE * sizes.total():
            break
        kinds.append(intent)
    return kinds


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder of both sets' folders")
    parser.add_argument("--out", type=Path, required=True, help="folder for the two tables")
    options = parser.parse_args()
    try:
        tables = {
            "banking77_other": banking77(options.sources / "banking77"),
            "hwu64_other": hwu64_intents(options.sources / "hwu64"),
        }
    except FileNotFoundError as error:
        print(f"error: {error.filename}: missing", file=sys.stderr)
        return 2
    for name, utterances in tables.items():
        lines = [
            json.dumps(utterance._asdict(), ensure_ascii=False) + "\n"
            for utterance in with_other(utterances)
        ]
        write_text(options.out / f"{name}.jsonl", "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
