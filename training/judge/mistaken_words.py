"""Which words misled a bundle, in the mistakes of which it was surest?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.classifier import Classifier
from model.occlusion import WordEffect, explain

if TYPE_CHECKING:
    from model.answers import Prediction

SHOWN = 3  # words of each mistake
LEAST_CHANGE = 0.01


def name_words(facts_by_task: dict[str, Any], classifier: Classifier) -> None:
    """Add `words` to each confident mistake of what `mistakes` returns: those that carried the
    wrong label, with the change of its score without them; "-" where a label is missing."""
    for task, facts in facts_by_task.items():
        entries = facts["confident"]
        answered = [entry for entry in entries if entry["answer"] != "-"]
        predictions: list[Prediction] = [
            {task: [{"label": entry["answer"], "score": entry["score"]}]} for entry in answered
        ]
        texts = [entry["text"] for entry in answered]
        for entry in entries:
            entry["words"] = "-"
        for entry, explanation in zip(
            answered, explain(classifier, texts, predictions), strict=True
        ):
            entry["words"] = _carrying(explanation[task]) or "-"


def _carrying(effects: list[WordEffect]) -> str:
    carrying = [effect for effect in effects if -effect["change"] >= LEAST_CHANGE][:SHOWN]
    return ", ".join(f"{effect['word']} {effect['change']:.2f}" for effect in carrying)
