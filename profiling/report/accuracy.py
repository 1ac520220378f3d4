"""Are the served answers right? The labelled texts are replayed and compared with their labels."""

from __future__ import annotations

from typing import Any

from profiling.report.bench import Bench
from profiling.report.load.plan import Outcome
from profiling.report.texts import Example

BATCH = 32
LEAST_S = 6.0
"""It ends sooner when all texts are answered."""
Pairs = list[tuple[frozenset[str], frozenset[str]]]
"""(right, given) labels of one task."""


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    """Accuracy of single-label and micro-F1 of multi-label tasks, in percent.

    As many texts as the time allows; `claimed` is what the bundle says about itself, on the whole
    of its test split.
    """
    texts = [example.text for example in bench.examples]
    questions = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    outcome = bench.load(
        "accuracy",
        max(seconds, LEAST_S),
        questions=questions,
        requests=len(questions),
        warmup_s=0.0,
        keep_answers=True,
    )
    pairs = _pairs(bench.examples, outcome)
    asked = bench.options.tasks or [task.name for task in bench.bundle.tasks]
    claimed = bench.bundle.metrics.get("int8", {}).get("tasks", {})
    tasks = {}
    for task in bench.bundle.tasks:
        if task.name in asked:
            key = "accuracy" if task.kind == "single" else "micro_f1"
            tasks[task.name] = {
                "measure": key,
                "rows": len(pairs.get(task.name, [])),
                "served": score(task.kind, pairs.get(task.name, [])),
                "claimed": claimed.get(task.name, {}).get(key),
            }
    answered = sum(
        len(questions[place])
        for place, good in zip(outcome.question, outcome.good, strict=True)
        if good
    )
    return {
        "texts": answered,
        "of": len(texts),
        "whole": answered == len(texts),
        "errors": outcome.errors,
        "faults": outcome.faults,
        "tasks": tasks,
    }


def score(kind: str, pairs: Pairs) -> float | None:
    """Percent; None without a labelled row, and for multi-label rows that have no label at all."""
    if kind == "single":
        return round(100 * sum(a == b for a, b in pairs) / len(pairs), 2) if pairs else None
    hit = sum(len(right & given) for right, given in pairs)
    missed_or_extra = sum(len(right ^ given) for right, given in pairs)
    total = 2 * hit + missed_or_extra
    return round(100 * 2 * hit / total, 2) if total else None


def _pairs(examples: list[Example], outcome: Outcome) -> dict[str, Pairs]:
    """By task, over the texts that are labelled for it and were answered."""
    pairs: dict[str, Pairs] = {}
    for question, answer in zip(outcome.question, outcome.answers, strict=True):
        if answer is None:
            continue
        start = question * BATCH
        asked = examples[start : start + BATCH]
        for example, given in zip(asked, answer["predictions"], strict=True):
            for task, labels in given.items():
                if task in example.truth:
                    said = frozenset(label["label"] for label in labels)
                    pairs.setdefault(task, []).append((example.truth[task], said))
    return pairs
