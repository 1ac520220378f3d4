"""Labels that the rest of the table contradicts are found, and written to be corrected."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from training.advice.quick_model import FOLDS, fit_quick
from training.advice.suspects import Suspect, likeliest_wrong, suspects, suspects_csv
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
    of_file = [Suspect(rows[1], "animal", frozenset(["dog"]), 0.01, frozenset(["cat"]))]
    other = TaskSpec("quality", "single", "quality")
    text = suspects_csv([spec, other], "body", of_file).decode()
    (line,) = csv.DictReader(text.splitlines())
    assert (line["body"], line["kind"], line["suggestion"]) == ("text 1", "dog", "cat")
    assert line["quality"] == "", "the other task's column, of which nothing is suspected"
    assert (line["quality_"], line["row"]) == ("0.010", "rows.csv:3")


def test_a_text_with_two_labels_is_left_open() -> None:
    vectors, labels, folds = clusters(200)
    vectors[7], labels[7] = vectors[8], labels[8]
    truth = np.eye(len(LABELS), dtype=bool)[labels]
    truth[7] = np.roll(truth[8], 1)
    rows = rows_of([frozenset(np.array(LABELS)[line].tolist()) for line in truth])
    rows[7] = replace(rows[8], targets=rows[7].targets, place="rows.csv:9")
    task = LabelledTask("animal", "single", LABELS)
    _, chances = fit_quick("single", vectors, truth, folds)
    first = next(suspects(task, rows, truth, chances))
    assert (first.row.place, first.labels) == ("rows.csv:9", None)


@pytest.mark.parametrize("labels", [1, 2])
def test_a_label_on_every_row_is_no_suspect(labels: int) -> None:
    vectors, kinds, folds = clusters(200)
    truth = np.ones((200, labels), dtype=bool)
    truth[:, 0] = kinds == 0
    truth[3, 0] ^= True
    _, chances = fit_quick("multi", vectors, truth, folds)
    places, _ = likeliest_wrong("multi", truth, chances)
    assert places[0] == 3
    assert likeliest_wrong("multi", np.ones((200, 2), dtype=bool), np.ones((200, 2))) == ([], [])
