"""What does a bundle cost and gain? Accuracy, size and latency, through the serving classifier."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any

from model.classifier import Classifier
from training.judge.judged import judge_bundle
from training.rows.table import Table

TEXTS = 40  # different texts that are timed, one at a time
ROUNDS = 5  # every bundle in turn, so that a noisy minute hits all alike
SEED = 1


def headlines(table: Table, bundle: Path, split: str) -> dict[str, float | None]:
    """{task: accuracy or micro-F1 in percent} on `split`; None: no row is labelled."""
    return {task.name: task.headline for task in judge_bundle(table, bundle, split)}


def mean(tasks: Mapping[str, float | None]) -> float:
    known = [value for value in tasks.values() if value is not None]
    return round(fmean(known), 2) if known else 0.0


def megabytes(bundle: Path) -> float:
    return sum(file.stat().st_size for file in bundle.iterdir()) / 1e6


def latencies(bundles: Sequence[Path], texts: Sequence[str], threads: int) -> list[dict[str, Any]]:
    """For each bundle {median_ms, p95_ms, full_length_ms} of one text at a time, warm."""
    classifiers = [Classifier.load(bundle, threads) for bundle in bundles]
    short = random.Random(SEED).sample(texts, min(TEXTS, len(texts)))
    full = " ".join(texts[: max(c.bundle.max_tokens for c in classifiers)])
    for classifier in classifiers:
        classifier.predict(short[:5])
        classifier.predict([full])
    taken: list[list[float]] = [[] for _ in bundles]
    taken_full: list[list[float]] = [[] for _ in bundles]
    for _ in range(ROUNDS):
        for place, classifier in enumerate(classifiers):
            taken[place] += [_milliseconds(classifier, text) for text in short]
            taken_full[place] += [_milliseconds(classifier, full) for _ in range(2)]
    return [
        {
            "median_ms": round(median(times), 3),
            "p95_ms": round(quantiles(times, n=20)[-1], 3),
            "full_length_ms": round(median(times_full), 3),
        }
        for times, times_full in zip(taken, taken_full, strict=True)
    ]


def _milliseconds(classifier: Classifier, text: str) -> float:
    start = time.perf_counter()
    classifier.predict([text])
    return 1000 * (time.perf_counter() - start)
