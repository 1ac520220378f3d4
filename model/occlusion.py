"""Which words carried an answer? Each is left out once, and the label's score is taken again.

    texts = ["raw honey"]
    explain(classifier, texts, classifier.predict(texts, tasks=["source"]))
    [{"source": [{"word": "honey", "start": 4, "end": 9, "change": -0.71}, ...]}]

Needs numpy, so it is imported when an explanation is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

from model.encoding import unread
from profiling.timer import timer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.answers import Prediction
    from model.classifier import Classifier

MAX_WORDS = 64
"""So many words of a text are left out, where the bundle reads: it bounds what one text costs."""
STRONGEST = 5
"""Words of one answer, unless more are asked for."""
CHARS_PER_TOKEN = 16
"""Characters that are looked at for each token that the bundle reads; few texts have so many."""
WORD = re.compile(r"\S+")


class WordEffect(TypedDict):
    """One word, where it stands in the text, and what the score does without it."""

    word: str
    start: int
    """Index of its first character, counted in code points."""
    end: int
    """Index behind its last character."""
    change: float
    """The label's probability without the word, less that with it: negative if it carried it."""


Explanation = dict[str, list[WordEffect]]
"""The words behind the first label of each task, the largest change first."""


def explain(
    classifier: Classifier,
    texts: Sequence[str],
    predictions: Sequence[Prediction],
    strongest: int = STRONGEST,
) -> list[Explanation]:
    """For each text the words that changed the score of each task's first label most.

    `predictions` are the classifier's answers to `texts`. A task without a label has no words; a
    word whose absence changes nothing is left out. All texts go through the graph in one run of
    at most MAX_WORDS + 1 rows a text.
    """
    return explain_and_count(classifier, texts, predictions, strongest)[0]


@timer.span("explain")
def explain_and_count(
    classifier: Classifier,
    texts: Sequence[str],
    predictions: Sequence[Prediction],
    strongest: int = STRONGEST,
) -> tuple[list[Explanation], int]:
    """As `explain`, and the tokens that were run for it."""
    long_texts = classifier.bundle.long_texts
    chars = CHARS_PER_TOKEN * classifier.bundle.max_tokens
    rows: list[str] = []
    places: list[tuple[int, list[re.Match[str]]]] = []
    for text in texts:
        start, end = unread(len(text), chars, long_texts)
        words = _words(text, start, end, long_texts)
        places.append((len(rows), words))
        rows.append(text[:start] + text[end:])
        rows += [_without(text, word, start, end) for word in words]
    tasks = list(predictions[0]) if predictions else []
    logits, tokens = classifier.logits_and_tokens(rows, tasks or None)
    probabilities = classifier.probabilities(logits)
    explanations: list[Explanation] = []
    for (row, words), prediction in zip(places, predictions, strict=True):
        explanation: Explanation = {}
        for task, labels in prediction.items():
            scores: list[float] = []
            if labels:
                head = classifier.bundle.heads[task]
                column = head.columns.start + head.labels.index(labels[0]["label"])
                scores = probabilities[row : row + 1 + len(words), column].tolist()
            explanation[task] = _effects(words, scores)[:strongest]
        explanations.append(explanation)
    return explanations, tokens


def _words(text: str, start: int, end: int, long_texts: str) -> list[re.Match[str]]:
    """The words to leave out, none of them from `start` to `end`."""
    words = [*WORD.finditer(text, 0, start), *WORD.finditer(text, end)]
    first, last = unread(len(words), MAX_WORDS, long_texts)
    return words[:first] + words[last:]


def _without(text: str, word: re.Match[str], start: int, end: int) -> str:
    """The text without the word, and without what stands from `start` to `end`."""
    if word.end() <= start:
        return text[: word.start()] + text[word.end() : start] + text[end:]
    return text[:start] + text[end : word.start()] + text[word.end() :]


def _effects(words: list[re.Match[str]], scores: list[float]) -> list[WordEffect]:
    """`scores`: of the whole text, then without each word; none where there is no label."""
    effects: list[WordEffect] = [
        {
            "word": word.group(),
            "start": word.start(),
            "end": word.end(),
            "change": score - scores[0],
        }
        for word, score in zip(words, scores[1:], strict=False)
    ]
    changed = [effect for effect in effects if effect["change"]]
    return sorted(changed, key=lambda effect: -abs(effect["change"]))
