"""Which words carried an answer: what is told is what the classifier says of the text without."""

from __future__ import annotations

import pytest

from model.classifier import Classifier
from model.occlusion import MAX_WORDS, STRONGEST, explain

TOLERANCE = 0.03
"""Scores depend a little on the texts that are run beside: int8 kernels add in another order."""


def test_a_change_is_that_of_the_score_without_the_word(classifier: Classifier) -> None:
    texts = ["raw  honey", "butter knife", "cardboard box of chocolate"]
    predictions = classifier.predict(texts)
    explanations = explain(classifier, texts, predictions)
    assert [list(explanation) for explanation in explanations] == [list(predictions[0])] * 3
    for text, prediction, explanation in zip(texts, predictions, explanations, strict=True):
        for task, words in explanation.items():
            assert bool(words) == bool(prediction[task])
            changes = [abs(word["change"]) for word in words]
            assert changes == sorted(changes, reverse=True)
            for word in words:
                assert text[word["start"] : word["end"]] == word["word"]
                without = text[: word["start"]] + text[word["end"] :]
                head = classifier.bundle.heads[task]
                column = head.columns.start + head.labels.index(prediction[task][0]["label"])
                scores = classifier.probabilities(classifier.logits([text, without]))[:, column]
                assert word["change"] == pytest.approx(scores[1] - scores[0], abs=TOLERANCE)


@pytest.mark.parametrize(
    ("text", "task", "word"),
    [
        ("raw honey", "source", "honey"),
        ("butter knife", "ingredient", "knife"),
        ("chicken", "source", "chicken"),  # its change is that to no text at all
    ],
)
def test_the_word_that_carried_it_comes_first(
    classifier: Classifier, text: str, task: str, word: str
) -> None:
    (explanation,) = explain(classifier, [text], classifier.predict([text]))
    assert explanation[task][0]["word"] == word
    assert explanation[task][0]["change"] < -0.3


def test_places_are_counted_in_characters_and_few_words_are_told(classifier: Classifier) -> None:
    text = "\U0001f36f  honey,\n" + "with more and more of what is eaten at noon"
    (explanation,) = explain(classifier, [text], classifier.predict([text]), strongest=20)
    for words in explanation.values():
        assert all(text[word["start"] : word["end"]] == word["word"] for word in words)
    (few,) = explain(classifier, [text], classifier.predict([text]))
    assert max(map(len, few.values())) == STRONGEST


def test_a_label_below_min_score_has_no_words(classifier: Classifier) -> None:
    texts = ["raw honey"]
    predictions = classifier.predict(texts, ["source"], min_score={"source": 1.0})
    assert explain(classifier, texts, predictions) == [{"source": []}]
    assert explain(classifier, [], []) == []


def test_what_a_long_text_costs_is_bounded(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    logits_and_tokens = Classifier.logits_and_tokens

    def counted(self: Classifier, texts: list[str], tasks: list[str] | None = None) -> object:
        lengths.extend(map(len, texts))
        return logits_and_tokens(self, texts, tasks)

    monkeypatch.setattr(Classifier, "logits_and_tokens", counted)
    for text in ("salt " * 50_000, "x" * 10**6, "s\n" * 100_000, "\ud800 " * 9):
        lengths.clear()
        explain(classifier, [text], classifier.predict([text]))
        assert len(lengths) <= MAX_WORDS + 1
        assert max(lengths) <= 16 * classifier.bundle.max_tokens
