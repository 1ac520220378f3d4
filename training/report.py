"""What came out of the run? Metrics and times, as a table for people and JSON for programs."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from model.bundle import read_bundle
from training.card import metrics_table
from training.recipe import Recipe
from training.rows import read_table


def write_report(recipe: Recipe, target: Path, seconds: dict[str, Any]) -> str:
    """Write DIR.report/training.md and .json; return the text for the terminal."""
    target = target.resolve()
    bundle = read_bundle(target)
    drops = json.loads(
        (target.with_name(f"{target.name}.work") / "quantize" / "facts.json").read_text()
    )["drops"]
    lines = [
        f"{bundle.identity} in {target}",
        "",
        metrics_table(read_table(recipe), bundle.metrics),
        "",
        "int8 against fp32 on validation, points lost (95 % interval): "
        + ", ".join(f"{task} {d['drop']} ({d['low']} to {d['high']})" for task, d in drops.items()),
        "",
        *_times(seconds),
    ]
    text = "\n".join(lines)
    folder = target.with_name(f"{target.name}.report")
    folder.mkdir(exist_ok=True)
    (folder / "training.md").write_text(text + "\n", encoding="utf-8")
    found = {
        "bundle": bundle.identity,
        "metrics": bundle.metrics,
        "drops": drops,
        "seconds": seconds,
    }
    (folder / "training.json").write_text(json.dumps(found, indent=1))
    return text


def _times(seconds: dict[str, Any]) -> list[str]:
    stages = ", ".join(f"{name} {taken['wall']:.0f}" for name, taken in seconds.items())
    wall, cpu = (sum(taken[kind] for taken in seconds.values()) for kind in ("wall", "cpu"))
    machine = platform.processor() or platform.machine()
    return [
        f"seconds per stage: {stages}",
        f"in all {wall / 60:.1f} minutes, {cpu / 60:.1f} CPU-minutes on {machine}; "
        "of a resumed stage, the last part",
    ]
