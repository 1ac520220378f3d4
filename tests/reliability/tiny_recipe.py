"""A recipe whose run takes seconds and has every stage but `refit` and `verify`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.training.small import write_base, write_table
from training.base import resolve_base

STEPS = {"pretrain": 5, "teacher": 6, "student": 6}
"""Optimizer steps of the stages that train; each writes a checkpoint."""
RECIPE = """
name = "tiny"
base = {base}
[data]
files = ["rows.jsonl"]
group = "entry"
[[task]]
name = "ingredient"
kind = "single"
[[task]]
name = "category"
kind = "multi"
[pretrain]
files = [{{path = "rows.jsonl"}}]
epochs = 1
[vocabulary]
pieces = 3000
[teacher]
steps = 6
[student]
variants = 0
layers = 1
width = 96
steps = 6
[quantize]
max_drop = 100
[ship]
refit = false
[sweep]
layers = [1]
widths = [64]
pieces = []
max_tokens = [12]
threads = [1]
"""
ROWS = {"train": 160, "validation": 40, "test": 40}
BASE = "sentence-transformers/all-MiniLM-L6-v2"


def write_recipe(folder: Path) -> Path:
    """Write tiny.toml with its table and its base to `folder`."""
    base = folder / "base"
    base.mkdir()
    write_base(resolve_base(BASE), base)
    write_table(folder / "rows.jsonl", ROWS)
    recipe = folder / "tiny.toml"
    recipe.write_text(RECIPE.format(base=json.dumps(str(base))))
    return recipe
