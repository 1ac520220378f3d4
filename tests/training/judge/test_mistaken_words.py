"""The surest mistakes are told with the words that carried them."""

from __future__ import annotations

from typing import Any

from model.classifier import Classifier
from training.judge.mistaken_words import name_words
from training.judge.mistakes import mistake_tables


def mistake(text: str, truth: str, answer: str) -> dict[str, Any]:
    return {"text": text, "truth": truth, "answer": answer, "score": 0.9}


def test_the_words_that_carried_a_wrong_label_are_named(classifier: Classifier) -> None:
    facts: dict[str, Any] = {
        "ingredient": {
            "confident": [
                mistake("butter knife", "ingredient", "not_ingredient"),
                mistake("knife", "ingredient", "not_ingredient"),
            ]
        },
        "category": {
            "confident": [
                mistake("raw honey", "fruit", "-"),
                mistake("raw honey", "-", "sweetener"),
            ]
        },
    }
    name_words(facts, classifier)
    of_ingredient = [entry["words"] for entry in facts["ingredient"]["confident"]]
    assert of_ingredient[0].startswith("knife -0.")
    assert "butter" not in of_ingredient[0], "it speaks for the right label"
    assert of_ingredient[1].startswith("knife -0.")
    missing, wrong = (entry["words"] for entry in facts["category"]["confident"])
    assert missing == "-"
    assert wrong.startswith(("honey -0.9", "honey -1.0"))
    for task in facts.values():
        task["recall"] = []
        task["labels"] = []
    assert "| text | truth | answer | score | words |" in mistake_tables(facts)


def test_a_task_without_mistakes_has_none_to_explain(classifier: Classifier) -> None:
    facts: dict[str, Any] = {"source": {"confident": []}}
    name_words(facts, classifier)
    assert facts == {"source": {"confident": []}}
