"""Answers, and how they are counted for the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from model.answers import MOST_LABELS, SCORE_BINS, AnswerCounts, answers_of, at_least
from model.bundle import Task
from model.classifier import Classifier

if TYPE_CHECKING:
    from model.answers import Prediction

TOPIC = Task("topic", "single", ("a", "b"), 10)
TAGS = Task("tags", "multi", ("x", "y", "z"), 11, thresholds=(0.5, 0.5, 0.5))


def answered(task: Task, *rows: tuple[float, ...], top_k: int = 1) -> list[Prediction]:
    return [{task.name: answers_of(task, row, top_k)} for row in rows]


def test_one_label_of_each_text_counts_for_a_single_label_task() -> None:
    counts = AnswerCounts()
    counts.add([TOPIC], answered(TOPIC, (0.2, 0.8), (0.95, 0.05), (0.0, 1.0), top_k=2))
    (topic,) = counts.field()["tasks"].values()
    assert topic == {"labels": {"a": 1, "b": 2}, "scores": [0, 0, 0, 0, 0, 0, 0, 0, 1, 2]}
    assert counts.field()["mean_score"] == round((0.8 + 0.95 + 1.0) / 3, 4)


def test_all_labels_count_for_a_multi_label_task_and_the_first_has_the_score() -> None:
    counts = AnswerCounts()
    counts.add([TAGS], answered(TAGS, (0.6, 0.9, 0.1), (0.1, 0.2, 0.3), (0.1, 0.7, 0.1)))
    (tags,) = counts.field()["tasks"].values()
    scores = [0] * SCORE_BINS
    scores[9] = scores[7] = 1
    assert tags == {"labels": {"y": 2, "x": 1}, "none": 1, "scores": scores}


def test_texts_without_any_label_have_no_mean_score() -> None:
    counts = AnswerCounts()
    counts.add([TAGS], answered(TAGS, (0.1, 0.2, 0.3)))
    assert counts.field() == {
        "pieces": 0,
        "unknown": 0,
        "tasks": {"tags": {"labels": {}, "none": 1, "scores": [0] * SCORE_BINS}},
    }


def test_the_same_labels_are_counted_one_by_one_in_every_line_however_many_there_are() -> None:
    labels = tuple(f"label {place}" for place in range(10_000))
    many = Task("many", "single", labels, 10)
    row = [0.0] * len(labels)
    counts, rare = AnswerCounts(), AnswerCounts()
    for place in range(0, len(labels), 10):
        counts.add([many], [{"many": [{"label": labels[place], "score": 0.5}]}])
    row[-1] = 1.0
    rare.add([many], answered(many, tuple(row)))
    of_many = counts.field()["tasks"]["many"]
    assert {*of_many["labels"]} == {*labels[:MOST_LABELS:10]}
    assert of_many["other"] + len(of_many["labels"]) == 1000
    assert len(json.dumps(counts.field())) < 4096
    assert rare.field()["tasks"]["many"]["labels"] == {}
    assert rare.field()["tasks"]["many"]["other"] == 1


def test_a_score_that_is_too_low_is_counted_and_not_answered() -> None:
    predictions = answered(TOPIC, (0.2, 0.8), (0.95, 0.05))
    few = at_least(predictions, {"topic": 0.9, "tags": 0.9})
    assert [[label["label"] for label in of_text["topic"]] for of_text in few] == [[], ["a"]]
    assert [len(of_text["topic"]) for of_text in predictions] == [1, 1]
    assert at_least(predictions, {}) == at_least(predictions, None) == predictions


def test_the_classifier_counts_what_it_answers(classifier: Classifier) -> None:
    texts = ["raw honey", "butter knife", "\U0001f36f", "salt \U0001f36f"] * 50
    counts = AnswerCounts()
    detailed = classifier.predict_detailed(texts, counts=counts)
    field = counts.field()
    assert (field["pieces"], field["unknown"]) == (detailed.tokens - 2 * len(texts), 100)
    for task in classifier.bundle.tasks:
        labels = [of_text[task.name] for of_text in detailed.predictions]
        counted = field["tasks"][task.name]
        assert counted["labels"] == {
            label: sum(label == one["label"] for of_text in labels for one in of_text)
            for label in counted["labels"]
        }
        assert counted.get("none", 0) == labels.count([])
        assert sum(counted["scores"]) == len(texts) - labels.count([])
    again = AnswerCounts()
    lowest = {task.name: 1.0 for task in classifier.bundle.tasks}
    for start in range(0, len(texts), 20):
        group = texts[start : start + 20]
        classifier.predict_detailed(group, top_k=9, min_score=lowest, counts=again)
    assert again.field()["pieces"] == field["pieces"]
    assert {task: sum(of["scores"]) for task, of in again.field()["tasks"].items()} == {
        task: sum(of["scores"]) for task, of in field["tasks"].items()
    }
