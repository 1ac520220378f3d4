"""Probabilities of one task's labels to its answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypedDict

    from model.bundle import Task

    class Label(TypedDict):
        """One answer. `score` is a probability."""

        label: str
        score: float

    Prediction = dict[str, list[Label]]
    """The answers to one text, by task; scores descend."""


def answers_of(
    task: Task, probabilities: Sequence[float], top_k: int, min_score: float
) -> list[Label]:
    """The labels of one task for one text; of equal scores the first label comes first."""
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
    if task.thresholds is None:
        del order[top_k:]
    else:
        order = [place for place in order if probabilities[place] >= task.thresholds[place]]
    return [
        {"label": task.labels[place], "score": probabilities[place]}
        for place in order
        if probabilities[place] >= min_score
    ]
