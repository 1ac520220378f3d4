"""The real base and table, cut to what a test can train on in seconds."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path

TABLE = Path(__file__).parents[2] / "training" / "ingredients" / "ingredients.jsonl.gz"


def write_base(base: Path, folder: Path) -> None:
    """Write a base directory with the first two layers of `base`."""
    from safetensors.torch import load_file, save_file

    config = json.loads((base / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    weights = load_file(base / "model.safetensors")
    dropped = tuple(f"encoder.layer.{number}." for number in range(2, config["num_hidden_layers"]))
    first_two = {name: value for name, value in weights.items() if not name.startswith(dropped)}
    save_file(first_two, folder / "model.safetensors", metadata={"format": "pt"})


def write_table(path: Path, rows: Mapping[str, int]) -> None:
    """Write so many rows of each split of the shipped table, drawn at random but always alike."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        shipped = [json.loads(line) for line in lines]
    random.Random(1).shuffle(shipped)
    with path.open("w", encoding="utf-8") as file:
        for split, count in rows.items():
            for row in [row for row in shipped if row["split"] == split][:count]:
                file.write(json.dumps(row) + "\n")
