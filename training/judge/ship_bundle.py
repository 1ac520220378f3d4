"""How does a measured bundle become the result? Its files as they are, a card, all metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model.aside import read_json
from model.bundle import MODEL, TOKENIZER, Bundle, read_bundle
from training.judge.card import model_card
from training.judge.evaluate import METRICS
from training.quantize.export import copied_bundle
from training.recipe import Recipe
from training.rows.table import Table
from training.run import Run

DIGEST = "digest.txt"
"""The digest of the bundle that was written, in the stage's folder."""


def run(run: Run, folder: Path) -> None:
    """The stage `bundle`: write the int8 student to the run's target."""
    int8 = read_bundle(run.work / "quantize" / "int8")
    metrics = read_json(run.work / "evaluate" / METRICS)
    shipped = ship(run.recipe, run.table, int8, metrics, run.target)
    (folder / DIGEST).write_text(shipped.digest)


def ship(
    recipe: Recipe, table: Table, measured: Bundle, metrics: dict[str, Any], target: Path
) -> Bundle:
    """Write `measured` to `target`, under the recipe's name, with its metrics and model card."""
    size = sum((measured.path / name).stat().st_size for name in (MODEL, TOKENIZER))
    card = model_card(recipe, table, metrics, size)
    return copied_bundle(measured, target, name=recipe.name, card=card, metrics=metrics)
