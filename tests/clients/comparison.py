"""Are the answers of a client those of the classifier in Python?"""

from __future__ import annotations

from typing import Any

import pytest

from model.classifier import Classifier

CLOSE = 1e-3
"""How far a score may be from Python's."""
Options = dict[str, Any]
NAMES = {"tasks": "tasks", "topK": "top_k", "minScore": "min_score"}


def assert_same_answers(
    actual: dict[str, Any], classifier: Classifier, texts: list[str], options: Options | None = None
) -> None:
    """The same labels in the same order, scores within CLOSE, the same texts cut."""
    arguments = {NAMES[name]: value for name, value in (options or {}).items()}
    expected = classifier.predict_detailed(texts, **arguments)
    assert labels_of(actual["predictions"]) == labels_of(expected.predictions)
    assert scores_of(actual["predictions"]) == pytest.approx(
        scores_of(expected.predictions), abs=CLOSE
    )
    assert actual["truncated"] == expected.truncated
    assert actual["tokens"] == expected.tokens


def labels_of(predictions: list[Any]) -> list[dict[str, list[str]]]:
    return [
        {task: [entry["label"] for entry in entries] for task, entries in prediction.items()}
        for prediction in predictions
    ]


def scores_of(predictions: list[Any]) -> list[float]:
    return [
        entry["score"]
        for prediction in predictions
        for entries in prediction.values()
        for entry in entries
    ]
