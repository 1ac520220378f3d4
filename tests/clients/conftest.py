"""What clients answer from, and the texts of the test split of the shipped table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from model.bundle import read_bundle
from training.quantize.standard_operators import standard_bundle

TABLE = Path(__file__).parents[2] / "training" / "ingredients" / "ingredients.jsonl.gz"


@pytest.fixture(scope="session")
def held_out_texts() -> list[str]:
    """Of the whole test split."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows if row["split"] == "test"]


@pytest.fixture(scope="session")
def standard_path(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bundle in standard operators."""
    target = tmp_path_factory.mktemp("standard") / "bundle"
    return standard_bundle(read_bundle(bundle_path), target).path
