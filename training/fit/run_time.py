"""How long will a run take? From the tokens to be read and this machine's matrix product."""

from __future__ import annotations

import json
from collections.abc import Iterator

from training.base import resolve_base
from training.fit.schedule import (
    student_epochs,
    student_layers,
    teacher_epochs,
    variant_count,
)
from training.recipe import Fitting, Recipe
from training.rows.coverage import Coverage
from training.rows.table import Table

EFFICIENCY = 0.5
"""Of a plain matrix product's speed that training reaches."""
REFIT_EPOCHS = 3.0
"""Whole passes; see training/distil/refit.py."""
FORWARD = 1 / 3
"""Of the work of a step, forward and backward."""
GUESSING = 1.2
"""What guessing hidden pieces adds to reading them."""
OVERHEAD_S = 60.0
"""Exports, baselines, quantization and checks."""


def estimated_minutes(
    recipe: Recipe, table: Table, read: Coverage, pretrain_tokens: float = 0
) -> float:
    """Minutes of a whole run, without the load report.

    `read`: what the base reads of the table's texts; `pretrain_tokens`: of those of `[pretrain]`.
    """
    from training.fit.speed import product_speed  # torch: only here

    config = json.loads((resolve_base(recipe.base) / "config.json").read_text())
    width, inner = config["hidden_size"], config["intermediate_size"]
    base_layers, tokens = config["num_hidden_layers"], read.read_per_text + len(table.tasks)
    layers = sum(_layer_passes(recipe, table, tokens, base_layers))
    if recipe.pretrain is not None:
        layers += pretrain_tokens * recipe.pretrain.epochs * base_layers * GUESSING
    operations = 6 * (4 * width * width + 2 * width * inner) * layers
    speed: float = EFFICIENCY * product_speed(512, width, inner, bf16=False)
    return OVERHEAD_S / 60 + float(operations) / speed / 60


def _layer_passes(recipe: Recipe, table: Table, tokens: float, base_layers: int) -> Iterator[float]:
    """Tokens times layers, forward and backward, of each stage that fits or reads."""
    rows, transfer = len(table.split("train")), len(table.transfer)
    taught = rows + transfer + variant_count(recipe, rows, transfer, tokens)
    teacher, student = recipe.teacher, recipe.student
    yield _texts(teacher, rows * teacher_epochs(teacher, rows)) * tokens * base_layers
    yield 2 * taught * tokens * base_layers * FORWARD  # the teacher, and the base without training
    epochs = student_epochs(recipe, rows, taught, tokens)
    depth = student_layers(student, rows, base_layers)
    yield _texts(student, taught * epochs) * tokens * depth
    yield taught * REFIT_EPOCHS * recipe.ship.refit * tokens * depth


def _texts(settings: Fitting, texts: int) -> int:
    """`texts` that a fit reads, or as many as its steps allow."""
    if settings.steps is None:
        return texts
    return min(texts, settings.steps * settings.batch_size * settings.accumulation_steps)
