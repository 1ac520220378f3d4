"""How does the choice become the bundle? Its files as measured, a model card, and all metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from model.bundle import Bundle, read_bundle
from training.judge.evaluate import baseline_metrics, evaluate
from training.judge.ship_bundle import ship
from training.recipe import Recipe
from training.rows.table import read_table
from training.studies.sweep.points import Point


def ship_choice(recipe: Recipe, picked: Point, points: list[Point], out: Path) -> Bundle:
    """Write `picked` to `out`, whole, with the metrics of all that a run's bundle names."""
    table = read_table(recipe)
    contenders = _contenders(picked, points)
    metrics: dict[str, Any] = {
        "split": "test",
        **{name: evaluate(table, path) for name, path in contenders.items()},
        **baseline_metrics(table),
        "shipped": _contender(picked),
        "sweep": {
            "choice": picked.name,
            "validation": picked.accuracy,
            "latency_ms": picked.latency_ms,
            "mb": round(picked.mb, 2),
        },
    }
    shaped = replace(recipe, student=replace(recipe.student, layers=picked.layers))
    return ship(shaped, table, read_bundle(picked.path), metrics, out)


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
