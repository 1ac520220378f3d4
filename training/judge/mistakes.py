"""Where is the bundle wrong, so that a person can mend the data? Of the test split, per task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tables.text import markdown
from training.judge.intervals import ratio_bounds
from training.judge.judged import JudgedTask
from training.judge.metrics import calibration_bins

SHOWN = 10  # confusions and mistakes of each task
RARE_SHOWN = 5
LARGEST_MATRIX = 30  # labels

Columns = NDArray[np.intp]
"""[rows]: a label of each row, by its column."""


def mistakes(judged: Sequence[JudgedTask]) -> dict[str, Any]:
    """{task: {"labels", "confusion", "confused", "confident", "recall", "calibration", "rare"}}; a
    multi-label task has the first, with counts, "confident", "recall" and "calibration". The tasks
    need scores."""
    facts = {}
    for task in judged:
        if task.rows:
            assert task.scores is not None
            facts_of = _single if task.kind == "single" else _multi
            facts[task.name] = facts_of(task, task.scores)
    return facts


def _single(task: JudgedTask, scores: NDArray[np.float64]) -> dict[str, Any]:
    right, answer = task.truth.argmax(1), task.answers.argmax(1)
    wrong = np.flatnonzero(right != answer).tolist()
    pairs = Counter((task.labels[right[row]], task.labels[answer[row]]) for row in wrong)
    matrix = np.zeros((len(task.labels),) * 2, int)
    np.add.at(matrix, (right, answer), 1)
    surest = sorted(wrong, key=lambda row: -scores[row, answer[row]])[:SHOWN]
    return {
        "labels": list(task.labels),
        "confusion": matrix.tolist(),
        "confused": [
            {"truth": truth, "answer": label, "rows": count}
            for (truth, label), count in pairs.most_common(SHOWN)
        ],
        "confident": [
            {
                "text": task.rows[row].text,
                "truth": task.labels[right[row]],
                "answer": task.labels[answer[row]],
                "score": round(float(scores[row, answer[row]]), 3),
            }
            for row in surest
        ],
        "recall": _recalls(task),
        "calibration": calibration_bins(scores.max(1), right == scores.argmax(1)),
        "rare": _rare(task, right, answer),
    }


def _recalls(task: JudgedTask) -> list[dict[str, Any]]:
    """Recall of each label with its 95 % interval in percent, lowest first; of no rows None."""
    recalls = []
    for label, truth, answers in zip(task.labels, task.truth.T, task.answers.T, strict=True):
        terms = np.stack([truth & answers, truth], axis=1).astype(np.float64)
        known = bool(truth.any())
        low, high = ratio_bounds(terms, task.groups) if known else (None, None)
        recall = round(100 * terms[:, 0].sum() / terms[:, 1].sum(), 1) if known else None
        fields = {"label": label, "rows": int(truth.sum()), "recall": recall}
        recalls.append({**fields, "low": low, "high": high})
    return sorted(recalls, key=lambda entry: (entry["recall"] is not None, entry["recall"]))


def _rare(task: JudgedTask, right: Columns, answer: Columns) -> list[dict[str, Any]]:
    """Recall of the rarest labels, beside the accuracy of all other rows."""
    count = task.truth.sum(0)
    rarest = [label for label in np.argsort(count, kind="stable") if count[label]][:RARE_SHOWN]
    return [
        {
            "label": task.labels[label],
            "rows": int(count[label]),
            "recall": round(100 * float((answer[right == label] == label).mean()), 1),
            "rest": round(100 * float((answer == right)[right != label].mean()), 1),
        }
        for label in rarest
        if count[label] < len(right)
    ]


def _multi(task: JudgedTask, scores: NDArray[np.float64]) -> dict[str, Any]:
    missed, extra = task.truth & ~task.answers, task.answers & ~task.truth
    confidence = np.where(missed, 1 - scores, np.where(extra, scores, 0.0))
    surest = np.argsort(-confidence, axis=None, kind="stable")[:SHOWN]
    return {
        "recall": _recalls(task),
        "calibration": calibration_bins(scores.ravel(), task.truth.ravel()),
        "labels": [
            {"label": label, "rows": int(rows), "missed": int(misses), "extra": int(extras)}
            for label, rows, misses, extras in zip(
                task.labels, task.truth.sum(0), missed.sum(0), extra.sum(0), strict=True
            )
        ],
        "confident": [
            {
                "text": task.rows[row].text,
                "truth": task.labels[column] if missed[row, column] else "-",
                "answer": task.labels[column] if extra[row, column] else "-",
                "score": round(float(scores[row, column]), 3),
            }
            for row, column in zip(*np.unravel_index(surest, confidence.shape), strict=True)
            if confidence[row, column] > 0
        ],
    }


def mistake_tables(facts_by_task: dict[str, Any]) -> str:
    """What `mistakes` returns, as Markdown."""
    parts: list[str] = []
    for task, facts in facts_by_task.items():
        parts.append(f"## Mistakes: {task}")
        for title, rows in _titled(facts):
            if rows:
                cells = [["-" if v is None else str(v) for v in row.values()] for row in rows]
                parts += [f"{title}:", markdown(list(rows[0]), cells)]
    return "\n\n".join(parts)


def _titled(facts: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each table of one task, and its title."""
    known = [entry["recall"] for entry in facts["recall"] if entry["recall"] is not None]
    mean = f"; the mean is {fmean(known):.1f}" if known else ""
    yield f"Recall of each label, lowest first{mean}", facts["recall"]
    if "confusion" in facts:
        labels = facts["labels"]
        if len(labels) <= LARGEST_MATRIX:
            matrix = [
                {"truth": label, **dict(zip(labels, counts, strict=True))}
                for label, counts in zip(labels, facts["confusion"], strict=True)
            ]
            yield "Confusion: a row per true label, a column per answer", matrix
        yield "Worst confusions", facts["confused"]
        yield "Rarest labels: their recall, and the accuracy of the rest", facts["rare"]
    else:
        yield "Labels", facts["labels"]
    yield "Most confident mistakes; they may be mistakes of the data", facts["confident"]
