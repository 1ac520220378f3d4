"""How long does each bundle take for one text? All in turn in one run, warm, as they are served."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.classifier import Classifier
from profiling.percentiles import summarize
from training.studies.sweep.front import Point

TEXTS = 40  # different texts that are timed, one at a time
ROUNDS = 5  # every bundle in turn, so that a noisy minute hits all alike
SEED = 1


def timed(points: list[Point], texts: Sequence[str], threads: Sequence[int]) -> list[Point]:
    """The points with their latencies; `latency_ms` is of the first of `threads`."""
    paths = [point.path for point in points]
    by_threads = {str(count): latencies(paths, texts, count) for count in threads}
    return [
        replace(
            point,
            latency_ms=by_threads[str(threads[0])][place]["median_ms"],
            latencies={count: of_bundles[place] for count, of_bundles in by_threads.items()},
        )
        for place, point in enumerate(points)
    ]


def latencies(
    bundles: Sequence[Path], texts: Sequence[str], threads: int
) -> list[dict[str, float]]:
    """For each bundle {median_ms, p95_ms, full_length_ms} of one text at a time."""
    classifiers = [Classifier.load(bundle, threads) for bundle in bundles]
    short = random.Random(SEED).sample(texts, min(TEXTS, len(texts)))
    full = " ".join(texts[: max(c.bundle.max_tokens for c in classifiers)])
    for classifier in classifiers:
        for text in (*short[:5], full):
            classifier.predict([text])
    short_ms: list[list[float]] = [[] for _ in bundles]
    full_ms: list[list[float]] = [[] for _ in bundles]
    for _ in range(ROUNDS):
        for place, classifier in enumerate(classifiers):
            short_ms[place] += [_milliseconds(classifier, text) for text in short]
            full_ms[place] += [_milliseconds(classifier, full) for _ in range(2)]
    return [
        {
            "median_ms": round(of_short["median"], 3),
            "p95_ms": round(of_short["p95"], 3),
            "full_length_ms": round(of_full["median"], 3),
        }
        for of_short, of_full in zip(map(summarize, short_ms), map(summarize, full_ms), strict=True)
    ]


def _milliseconds(classifier: Classifier, text: str) -> float:
    start = time.perf_counter()
    classifier.predict([text])
    return 1000 * (time.perf_counter() - start)
