"""How does the choice become the bundle? Its files as measured, a model card, and all metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from model.bundle import MODEL, TOKENIZER, Bundle, read_bundle, write_bundle
from training.judge.baseline import baseline_metrics
from training.judge.card import model_card
from training.judge.evaluate import evaluate
from training.judge.fast_text import fasttext_metrics
from training.judge.linear import fit_linear
from training.recipe import Recipe
from training.rows.table import read_table
from training.studies.sweep.points import Point


def ship(recipe: Recipe, picked: Point, points: list[Point], out: Path) -> Bundle:
    """Write `picked` to `out`, whole, with the metrics of all that a run's bundle names."""
    table = read_table(recipe)
    measured = read_bundle(picked.path)
    contenders = _contenders(picked, points)
    metrics: dict[str, Any] = {
        "split": "test",
        **{name: evaluate(table, path) for name, path in contenders.items()},
        "baseline": baseline_metrics(table, fit_linear(table)),
        **({"fasttext": second} if (second := fasttext_metrics(table)) else {}),
        "shipped": _contender(picked),
        "sweep": {
            "choice": picked.name,
            "validation": picked.accuracy,
            "latency_ms": picked.latency_ms,
            "mb": round(picked.mb, 2),
        },
    }
    shaped = replace(recipe, student=replace(recipe.student, layers=picked.layers))
    return write_bundle(
        out,
        name=recipe.name,
        base=measured.base,
        max_tokens=measured.max_tokens,
        tasks=measured.tasks,
        model=measured.path / MODEL,
        tokenizer=measured.path / TOKENIZER,
        card=model_card(shaped, table, metrics, round(picked.mb * 1e6)),
        metrics=metrics,
    )


def _contenders(picked: Point, points: list[Point]) -> dict[str, Path]:
    """The bundles that are evaluated: the teacher, and the picked network in each precision."""
    found = {
        _contender(point): point.path
        for point in points
        if _shape(point) == _shape(picked) or _contender(point) == "teacher"
    }
    return found | {_contender(picked): picked.path}


def _contender(point: Point) -> str:
    """The name of such a network in a bundle's metrics."""
    names = {("teacher", "int8"): "teacher_int8", ("student", "int8"): "int8"}
    return names.get((point.network, point.precision), point.network)


def _shape(point: Point) -> tuple[object, ...]:
    return (point.network, point.layers, point.width, point.pieces, point.max_tokens)
