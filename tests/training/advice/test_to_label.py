"""What the models are unsure of comes first, and no two that are nearly alike."""

from __future__ import annotations

import csv

import numpy as np

from training.advice.quick_model import FOLDS, fit_quick
from training.advice.to_label import margins, spread, to_label_csv
from training.rows.labelled_row import Row
from training.task_spec import TaskSpec


def test_texts_between_labels_come_first_and_apart() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200)
    known = np.eye(3)[labels] + 0.1 * random.normal(size=(200, 3))
    known /= np.linalg.norm(known, axis=1)[:, None]
    model, _ = fit_quick("single", known, np.eye(2, dtype=bool)[labels], np.arange(200) % FOLDS)
    half = 2**-0.5
    texts = np.array([[1, 0, 0], [half, half, 0], [0, 1, 0], [half, half, 0.01], [0, 0, 1.0]])
    places = spread(margins([model], texts), texts, most=2)
    assert places[0] in (1, 3, 4)
    assert len({1, 3} & {*places}) == 1, "the two between the labels are alike"


def test_the_file_has_an_empty_column_per_task() -> None:
    specs = [TaskSpec("kind", "single", "kind"), TaskSpec("topics", "multi", "topics")]
    row = Row("a, b", (None, None), None, "text:ab", None, "rows.csv:2")
    text = to_label_csv([row], specs, "body").decode()
    assert list(csv.DictReader(text.splitlines())) == [{"body": "a, b", "kind": "", "topics": ""}]
