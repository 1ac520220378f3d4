"""How does the choice become the bundle? Its files as measured, a model card, and all metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from model.bundle import Bundle, read_bundle
from training.judge.evaluate import baseline_metrics, evaluate
from training.judge.ship_bundle import ship
from training.run import Run
from training.studies.sweep.front import Point


def ship_choice(run: Run, choice: Point, points: list[Point]) -> Bundle:
    """Write `choice` to the run's target, with the metrics of all that a run's bundle names."""
    contenders = _contenders(choice, points)
    metrics: dict[str, Any] = {
        "split": "test",
        **{name: evaluate(run.table, path) for name, path in contenders.items()},
        **baseline_metrics(run.table),
        "shipped": _contender(choice),
        "sweep": {
            "choice": choice.name,
            "validation": choice.accuracy,
            "latency_ms": choice.latency_ms,
            "mb": round(choice.mb, 2),
        },
    }
    recipe = replace(run.recipe, student=replace(run.recipe.student, layers=choice.layers))
    return ship(recipe, run.table, read_bundle(choice.path), metrics, run.target)


def _contenders(choice: Point, points: list[Point]) -> dict[str, Path]:
    """The bundles that are evaluated: the teacher, and the chosen network in each precision."""
    contenders = {
        _contender(point): point.path
        for point in points
        if _shape(point) == _shape(choice) or _contender(point) == "teacher"
    }
    return contenders | {_contender(choice): choice.path}


def _contender(point: Point) -> str:
    """The name of such a network in a bundle's metrics."""
    names = {("teacher", "int8"): "teacher_int8", ("student", "int8"): "int8"}
    return names.get((point.network, point.precision), point.network)


def _shape(point: Point) -> tuple[object, ...]:
    return (point.network, point.layers, point.width, point.pieces, point.max_tokens)
