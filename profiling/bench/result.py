"""What benchmarks share: where their bundle and texts are, their options, how a result is kept."""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
from pathlib import Path
from typing import Any

from model import aside
from profiling.percentiles import summarize
from profiling.server import ROOT

FORMAT = 1
BUNDLE = ROOT / "model" / "ingredients"
TEXTS = ROOT / "training" / "ingredients" / "transfer.jsonl.gz"


def parser(
    name: str, description: str | None, *, bundle_and_out: bool = True
) -> argparse.ArgumentParser:
    """The command line of `python -m profiling NAME`, by default with --bundle and --out."""
    command = argparse.ArgumentParser(
        f"python -m profiling {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if bundle_and_out:
        shipped = "default: the one that is shipped"
        command.add_argument("--bundle", type=Path, default=BUNDLE, help=shipped)
        command.add_argument("--out", type=Path, help=f"directory for {name}.json and {name}.md")
    return command


def sample(path: Path, count: int) -> list[str]:
    """`count` texts of a JSONL.gz file with `text`, seeded; all of them when it has fewer.

    Raises OSError, ValueError and KeyError for another file.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [str(json.loads(line)["text"]) for line in lines]
    return random.Random(0).sample(texts, min(count, len(texts)))


def output_of(*command: str) -> str:
    """What a command prints, run in the project's folder; raises SystemExit when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def summarize_figures(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """A summary of each figure that the rows have; all have the same."""
    return {key: summarize([row[key] for row in rows]) for key in rows[0]}


def write(name: str, report: dict[str, Any], text: str, out: Path | None) -> None:
    """Write OUT/NAME.json and OUT/NAME.md; nothing without `out`."""
    if out:
        out.mkdir(parents=True, exist_ok=True)
        aside.write_json(out / f"{name}.json", {"format": FORMAT, **report})
        aside.write_text(out / f"{name}.md", text + "\n")
