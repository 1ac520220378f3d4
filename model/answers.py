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
    score_of = probabilities.__getitem__
    if task.thresholds is not None:
        likely = [place for place, least in enumerate(task.thresholds) if score_of(place) >= least]
        order = sorted(likely, key=score_of, reverse=True)
    elif top_k == 1:
        order = [max(range(len(probabilities)), key=score_of)]
    else:
        order = sorted(range(len(probabilities)), key=score_of, reverse=True)[:top_k]
    return [
        {"label": task.labels[place], "score": score_of(place)}
        for place in order
        if score_of(place) >= min_score
    ]
