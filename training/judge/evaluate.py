"""How does a bundle do? Measured through the classifier that serves it, teacher included."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from training.judge.metrics import Labels, calibration_errors, slice_metrics, table_metrics
from training.rows.table import Row, Table


def evaluate(table: Table, bundle: Path) -> dict[str, Any]:
    """{"tasks": {task: metrics}, "slices": {slice: {task: metrics}}} on the test split."""
    rows = table.split("test")
    said = answers(bundle, rows)
    found = table_metrics(table, rows, said)
    errors = calibration_errors(table, rows, scores_of(bundle, rows))
    tasks = {name: {**metrics, "ece": errors[name]} for name, metrics in found.items()}
    return {"tasks": tasks, "slices": slice_metrics(table, rows, said)}


def answers(bundle: Path, rows: list[Row]) -> list[dict[str, Labels]]:
    """For each row {task: labels given}."""
    predictions = _classifier(bundle).predict([row.text for row in rows])
    return [
        {task: frozenset(str(entry["label"]) for entry in given) for task, given in answer.items()}
        for answer in predictions
    ]


def scores_of(bundle: Path, rows: list[Row]) -> NDArray[np.float64]:
    """[rows, labels of all tasks]: the score of every label, given or not."""
    return _classifier(bundle).probabilities([row.text for row in rows])


def logits_of(bundle: Path, rows: list[Row]) -> NDArray[np.float32]:
    """float32 [rows, labels of all tasks]."""
    return _classifier(bundle).logits([row.text for row in rows])


def _classifier(bundle: Path) -> Classifier:
    return Classifier.load(bundle, threads=os.cpu_count() or 1)
