"""What the studies' tests share: small recipes, and the command in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECIPE = """
name = "{name}"
base = {base}
[data]
files = [{table}]
group = "entry"
split = "{split}"
[[task]]
name = "ingredient"
kind = "single"
"""
WriteRecipe = Callable[..., Path]


def training_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "training", *arguments]


def run_training(*arguments: str) -> str:
    """What the command prints; it has to succeed."""
    done = subprocess.run(
        training_command(*arguments),
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def write_recipe(small_base: Path, small_table: Path) -> WriteRecipe:
    """Write NAME.toml beside the small table: one task on the small base, and `sections`."""

    def write(name: str, sections: str, split: str = "split") -> Path:
        path = small_table.with_name(f"{name}.toml")
        base, table = json.dumps(str(small_base)), json.dumps(str(small_table))
        head = RECIPE.format(name=name, base=base, table=table, split=split)
        path.write_text(head + sections)
        return path

    return write
