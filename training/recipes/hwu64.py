"""HWU64 as a table of two tasks: an example of a small converter for somebody else's format.

    python -m training.recipes.hwu64 --sources ../shared/data/hwu64 --out hwu64.jsonl

The set comes as a text file and a label file per split. Its labels read `scenario_intent`: the
scenario (18) becomes one task, the whole label (64, what published figures are about) the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from model.aside import write_text

SPLITS = {"train": "train", "valid": "validation", "test": "test"}
ORIGIN = "https://github.com/xliuhw/NLU-Evaluation-Data (CC BY-SA 3.0)"


def rows(sources: Path) -> Iterator[dict[str, str]]:
    """One row per utterance, in the files' order."""
    for name, split in SPLITS.items():
        texts, labels = (
            (sources / f"{name}.{part}").read_text(encoding="utf-8").splitlines()
            for part in ("seq.in", "label")
        )
        for text, label in zip(texts, labels, strict=True):
            scenario, _, _ = label.partition("_")
            yield {"text": text, "scenario": scenario, "intent": label, "split": split}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path, required=True, help="folder of the set's files")
    parser.add_argument("--out", type=Path, required=True, help="the table to write")
    options = parser.parse_args()
    try:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(options.sources)]
    except FileNotFoundError as error:
        print(f"error: {error.filename}: missing; get it from {ORIGIN}", file=sys.stderr)
        return 2
    write_text(options.out, "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
