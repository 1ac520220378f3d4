"""Probabilities of one task's labels to its answers, and how often each was given."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NotRequired, TypedDict

    from model.bundle import Task

    class Label(TypedDict):
        """One answer. `score` is a probability."""

        label: str
        score: float

    Prediction = dict[str, list[Label]]
    """The answers to one text, by task; scores descend."""

    class TaskCounts(TypedDict):
        """Answers of one task to all texts of a request."""

        labels: dict[str, int]
        """By label, of those that were given at all. Single-label tasks give each text one."""
        none: NotRequired[int]
        """Texts without a label; absent where every text has one."""
        other: NotRequired[int]
        """Answers with a label past the first MOST_LABELS of the task; absent where none is."""
        scores: list[int]
        """Texts by the score of their first label, in SCORE_BINS bins of one width from 0 to 1."""

    class AnswerCountsField(TypedDict):
        """`profile.answers` of a log line: the answers to the texts of a request, counted."""

        pieces: int
        """Word pieces of all texts, without the tokens before and after a text."""
        unknown: int
        """Those of them that the vocabulary lacks."""
        mean_score: NotRequired[float]
        """Of the first labels of all texts and tasks; absent where no text has a label."""
        tasks: dict[str, TaskCounts]
        """By task, of those that were asked for."""


AROUND = 2
"""Tokens of each row that are not of the text: [CLS] and [SEP]."""
SCORE_BINS = 10
MOST_LABELS = 256
"""So many labels of a task are counted one by one, the first; the same ones in every line."""


def answers_of(task: Task, probabilities: Sequence[float], top_k: int) -> list[Label]:
    """The labels of one task for one text; of equal scores the first label comes first."""
    score_of = probabilities.__getitem__
    if task.thresholds is not None:
        likely = [place for place, least in enumerate(task.thresholds) if score_of(place) >= least]
        order = sorted(likely, key=score_of, reverse=True)
    elif top_k == 1:
        order = [max(range(len(probabilities)), key=score_of)]
    else:
        order = sorted(range(len(probabilities)), key=score_of, reverse=True)[:top_k]
    return [{"label": task.labels[place], "score": score_of(place)} for place in order]


def at_least(
    predictions: list[Prediction], min_score: Mapping[str, float] | None
) -> list[Prediction]:
    """The predictions without the labels that are below their task's `min_score`."""
    if not min_score:
        return predictions
    return [
        {
            task: [label for label in labels if label["score"] >= min_score.get(task, 0.0)]
            for task, labels in prediction.items()
        }
        for prediction in predictions
    ]


class AnswerCounts:
    """How often each label was given, how sure, and how much of the texts was unknown."""

    def __init__(self) -> None:
        self._tasks: dict[str, _TaskTally] = {}
        self._pieces = self._unknown = 0

    def add_pieces(self, ids: Sequence[list[int]], unknown_id: int | None) -> None:
        """Count the word pieces of `[CLS] text [SEP]` rows; None: the vocabulary lacks nothing."""
        self._pieces += sum(map(len, ids)) - AROUND * len(ids)
        if unknown_id is not None:
            self._unknown += sum(row.count(unknown_id) for row in ids)

    def add(self, tasks: Sequence[Task], predictions: Sequence[Prediction]) -> None:
        """Count answers of `tasks`, which `min_score` must not have shortened yet."""
        for task in tasks:
            if task.name not in self._tasks:
                self._tasks[task.name] = _TaskTally(task)
            add = self._tasks[task.name].add
            for prediction in predictions:
                add(prediction[task.name])

    def field(self) -> AnswerCountsField:
        """What a log line says of them."""
        tallies = self._tasks.values()
        field: AnswerCountsField = {
            "pieces": self._pieces,
            "unknown": self._unknown,
            "tasks": {task: tally.field() for task, tally in self._tasks.items()},
        }
        if answered := sum(sum(tally.scores) for tally in tallies):
            total = sum(tally.score_sum for tally in tallies)
            field["mean_score"] = round(total / answered, 4)
        return field


class _TaskTally:
    """The answers of one task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._labels: dict[str, int] = {}
        self._none = 0
        self.scores = [0] * SCORE_BINS
        self.score_sum = 0.0

    def add(self, labels: list[Label]) -> None:
        if not labels:
            self._none += 1
            return
        score = labels[0]["score"]
        self.scores[min(int(score * SCORE_BINS), SCORE_BINS - 1)] += 1
        self.score_sum += score
        for answer in labels if self._task.kind == "multi" else labels[:1]:
            label = answer["label"]
            self._labels[label] = self._labels.get(label, 0) + 1

    def field(self) -> TaskCounts:
        labels, other = self._labels, 0
        if len(self._task.labels) > MOST_LABELS:
            counted = {*self._task.labels[:MOST_LABELS]}
            other = sum(n for label, n in labels.items() if label not in counted)
            labels = {label: n for label, n in labels.items() if label in counted}
        field: TaskCounts = {"labels": labels, "scores": self.scores}
        if self._none:
            field["none"] = self._none
        if other:
            field["other"] = other
        return field
