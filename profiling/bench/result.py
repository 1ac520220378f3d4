"""What benchmarks share: where their bundle and texts are, their options, how a result is kept."""

from __future__ import annotations

import argparse
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


def write(name: str, report: dict[str, Any], text: str, out: Path | None) -> None:
    """Write OUT/NAME.json and OUT/NAME.md; nothing without `out`."""
    if out:
        out.mkdir(parents=True, exist_ok=True)
        aside.write_json(out / f"{name}.json", report)
        aside.write_text(out / f"{name}.md", text + "\n")
