"""Are the served answers right? The labelled texts are replayed and compared with their labels.

A bundle that was fitted to all rows has seen these texts: of such a one the answers that its run
held out count (tables/held_out.py), to the texts that were answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from model.bundle import Bundle
from profiling.report.harness import Harness
from profiling.report.load.plan import Outcome
from profiling.report.texts import Example, digest
from tables.held_out import read_record

BATCH = 32
MIN_S = 6.0
"""The probe ends sooner when all texts are answered."""
Prediction = dict[str, list[dict[str, Any]]]
Pairs = list[tuple[frozenset[str], frozenset[str]]]
"""(true, predicted) labels of one task."""


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """Accuracy of single-label and micro-F1 of multi-label tasks, in percent.

    As many texts as the time allows; `claimed` is what the bundle says about the graph that it
    holds, on the whole of its test split. `recorded`: the answers are those of the held-out fit.
    """
    texts = [example.text for example in harness.examples]
    questions = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    outcome = harness.load(
        "accuracy", max(seconds, MIN_S), questions=questions, requests=len(questions),
        warmup_s=0.0, keep_answers=True,
    )  # fmt: skip
    pairs = _pairs(harness.examples, outcome)
    recorded = "refit" in harness.bundle.metrics
    if recorded:
        pairs = _held_out_pairs(harness.bundle, harness.examples, outcome)
    claimed = harness.bundle.own_metrics.get("tasks", {})
    tasks = {}
    for task in harness.bundle.tasks:
        if harness.options.tasks is None or task.name in harness.options.tasks:
            key = "accuracy" if task.kind == "single" else "micro_f1"
            labelled = [
                (example.text, sorted(example.labels[task.name]))
                for example in harness.examples
                if task.name in example.labels
            ]
            tasks[task.name] = {
                "measure": key,
                "rows": len(pairs[task.name]),
                "labelled_digest": digest(labelled),
                "served": score(task.kind, pairs[task.name]),
                "claimed": claimed.get(task.name, {}).get(key),
            }
    answered = sum(len(answer["predictions"]) for answer in outcome.answers if answer)
    return {
        "texts": answered,
        "of": len(texts),
        "whole": answered == len(texts),
        "errors": outcome.errors,
        "faults": outcome.faults,
        "recorded": recorded,
        "tasks": tasks,
    }


def score(kind: str, pairs: Pairs) -> float | None:
    """Percent; None without a labelled row, and for multi-label rows that have no label at all."""
    if kind == "single":
        matches = sum(true == predicted for true, predicted in pairs)
        return round(100 * matches / len(pairs), 2) if pairs else None
    hits = sum(len(true & predicted) for true, predicted in pairs)
    misses = sum(len(true ^ predicted) for true, predicted in pairs)
    total = 2 * hits + misses
    return round(100 * 2 * hits / total, 2) if total else None


def _held_out_pairs(
    bundle: Bundle, examples: list[Example], outcome: Outcome
) -> defaultdict[str, Pairs]:
    """The same by the record beside the bundle; without one there are no pairs."""
    pairs: defaultdict[str, Pairs] = defaultdict(list)
    if (record := read_record(bundle.path, bundle.identity)) is None:
        return pairs
    for example, _ in _answered(examples, outcome):
        for task, labels in example.labels.items():
            if (answer := record.answer(task, example.text, labels)) is not None:
                pairs[task].append((labels, frozenset(answer)))
    return pairs


def _pairs(examples: list[Example], outcome: Outcome) -> defaultdict[str, Pairs]:
    """By task, over the texts that are labelled for it and were answered."""
    pairs: defaultdict[str, Pairs] = defaultdict(list)
    for example, prediction in _answered(examples, outcome):
        for task, labels in prediction.items():
            if task in example.labels:
                predicted = frozenset(label["label"] for label in labels)
                pairs[task].append((example.labels[task], predicted))
    return pairs


def _answered(examples: list[Example], outcome: Outcome) -> Iterator[tuple[Example, Prediction]]:
    """Each text that was answered, and its answer."""
    for question, answer in zip(outcome.question, outcome.answers, strict=True):
        if answer is not None:
            batch = examples[question * BATCH : (question + 1) * BATCH]
            yield from zip(batch, answer["predictions"], strict=True)
