"""Labels that the rest of the table contradicts are found, and written to be corrected."""

from __future__ import annotations

import csv

import numpy as np
from numpy.typing import NDArray

from training.advice.quick_model import FOLDS, fit_quick
from training.advice.suspects import Suspect, suspects, suspects_csv
from training.rows.labelled_row import Row
from training.rows.table import LabelledTask
from training.task_spec import TaskSpec

LABELS = ("cat", "dog", "fish")


def clusters(rows: int) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Vectors around a centre for each label, their labels and folds."""
    random = np.random.default_rng(1)
    labels = random.integers(0, len(LABELS), rows)
    vectors = np.eye(8)[labels] + 0.2 * random.normal(size=(rows, 8))
    return vectors / np.linalg.norm(vectors, axis=1)[:, None], labels, np.arange(rows) % FOLDS


def rows_of(targets: list[frozenset[str]]) -> list[Row]:
    return [
        Row(f"text {n}", (target,), "train", f"text:{n}", None, f"rows.csv:{n + 2}")
        for n, target in enumerate(targets)
    ]


def test_planted_errors_come_first() -> None:
    vectors, labels, folds = clusters(400)
    planted = np.arange(0, 400, 33)
    given = labels.copy()
    given[planted] = (given[planted] + 1) % len(LABELS)
    truth = np.eye(len(LABELS), dtype=bool)[given]
    task = LabelledTask("animal", "single", LABELS)
    rows = rows_of([frozenset([LABELS[label]]) for label in given])
    _, chances = fit_quick("single", vectors, truth, folds)
    found = list(suspects(task, rows, truth, chances))
    first = {suspect.row.text for suspect in found[: len(planted) + 3]}
    assert {f"text {n}" for n in planted} <= first
    for suspect in found[:5]:
        assert suspect.suggestion == {LABELS[labels[int(suspect.row.text.split()[1])]]}


def test_a_clean_table_has_few() -> None:
    vectors, labels, folds = clusters(400)
    truth = np.eye(len(LABELS), dtype=bool)[labels]
    task = LabelledTask("animal", "single", LABELS)
    _, chances = fit_quick("single", vectors, truth, folds)
    rows = rows_of([frozenset([LABELS[label]]) for label in labels])
    assert len(list(suspects(task, rows, truth, chances))) <= 4


def test_sets_of_labels_are_judged_too() -> None:
    vectors, labels, folds = clusters(300)
    truth = np.eye(len(LABELS), dtype=bool)[labels]
    truth[5] = ~truth[5]
    task = LabelledTask("animal", "multi", LABELS)
    rows = rows_of([frozenset(np.array(LABELS)[line].tolist()) for line in truth])
    _, chances = fit_quick("multi", vectors, truth, folds)
    first = next(suspects(task, rows, truth, chances))
    assert first.row.text == "text 5"
    assert first.suggestion == {LABELS[labels[5]]}


def test_the_file_has_the_labels_as_the_table_has_them() -> None:
    rows = rows_of([frozenset(["cat"]), frozenset(["dog"])])
    spec = TaskSpec("animal", "single", "kind")
    found = [Suspect(rows[1], "animal", 0.01, frozenset(["cat"]))]
    text = suspects_csv([spec], "body", found).decode()
    (line,) = csv.DictReader(text.splitlines())
    assert (line["body"], line["kind"], line["suggestion"]) == ("text 1", "dog", "cat")
    assert line["row"] == "rows.csv:3"
