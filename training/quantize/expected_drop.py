"""What would int8 lose of text without labels? Too few rows are labelled to tell, but text is not.

A label that fp32 gives with a score of 0.9 is right nine times of ten, so its scores say how often
its own answers and int8's are to be expected right. They agree on nearly all of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from model.classifier import Classifier
from training.judge.judged import marks
from training.judge.metrics import expected_counts, headline


def expected_drops(before: Path, after: Path, texts: Sequence[str]) -> dict[str, float]:
    """Points of each task's headline from one bundle to the other, both of the same tasks and
    labels; none without texts."""
    if not texts:
        return {}
    classifiers = [Classifier.load(path, threads=os.cpu_count() or 1) for path in (before, after)]
    heads = classifiers[0].bundle.heads
    logits = [classifier.logits(texts) for classifier in classifiers]
    scores = classifiers[0].probabilities(logits[0])
    answers = [
        marks(heads, classifier.answers(each))
        for classifier, each in zip(classifiers, logits, strict=True)
    ]
    drops = {}
    for head in heads:
        first, second = (
            float(headline(head.kind, expected_counts(head.of(scores), head.of(each))))
            for each in answers
        )
        drops[head.name] = round(first - second, 3)
    return drops
