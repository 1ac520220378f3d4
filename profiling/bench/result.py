"""What benchmarks share: where their bundle and texts are, their options, how a result is kept."""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import Any

from model import aside

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "model" / "ingredients"
TEXTS = ROOT / "training" / "ingredients" / "transfer.jsonl.gz"


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of `python -m profiling NAME`, with --bundle and --out."""
    command = argparse.ArgumentParser(
        f"python -m profiling {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--bundle", type=Path, default=BUNDLE, help="default: the one that is shipped"
    )
    command.add_argument("--out", type=Path, help=f"directory for {name}.json and {name}.md")
    return command


def sample(path: Path, count: int) -> list[str]:
    """`count` texts of a JSONL.gz file with `text`, seeded; all of them when it has fewer.

    Raises OSError, ValueError and KeyError for another file.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [str(json.loads(line)["text"]) for line in lines]
    return random.Random(0).sample(texts, min(count, len(texts)))


def write(name: str, report: dict[str, Any], text: str, out: Path | None) -> None:
    """Write OUT/NAME.json and OUT/NAME.md; nothing without `out`."""
    if out:
        out.mkdir(parents=True, exist_ok=True)
        aside.write_json(out / f"{name}.json", report)
        aside.write_text(out / f"{name}.md", text + "\n")
