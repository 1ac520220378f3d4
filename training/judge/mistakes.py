"""Where is the bundle wrong, so that a person can mend the data? Of the test split, per task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.judge.evaluate import answers, scores_of
from training.judge.metrics import Labels
from training.rows.table import Row, Table

SHOWN = 10  # confusions and mistakes of each task
RARE_SHOWN = 5
LARGEST_MATRIX = 30  # labels


@dataclass(frozen=True)
class Judged:
    """The labelled rows of one task with the scores given to them."""

    labels: tuple[str, ...]
    rows: list[Row]
    truth: NDArray[np.bool_]
    """[rows, labels]"""
    scores: NDArray[np.float64]
    """[rows, labels]"""
    said: NDArray[np.bool_]
    """[rows, labels]: what was answered."""


def mistakes(table: Table, bundle: Path) -> dict[str, Any]:
    """{task: {"confusion" or "labels", "confused", "confident", "rare"}} on the test split."""
    rows = table.split("test")
    scores, said = scores_of(bundle, rows), answers(bundle, rows)
    found, start = {}, 0
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        columns = slice(start, start + len(labels))
        start += len(labels)
        places = [place for place, row in enumerate(rows) if row.targets[index] is not None]
        picked = [rows[place] for place in places]
        if not picked:
            continue
        truth = _held(labels, [row.targets[index] or frozenset() for row in picked])
        given = _held(labels, [said[place][task.name] for place in places])
        part = Judged(labels, picked, truth, scores[places, columns], given)
        found[task.name] = _single(part) if task.kind == "single" else _multi(part)
    return found


def _held(labels: tuple[str, ...], held: list[Labels]) -> NDArray[np.bool_]:
    """[rows, labels]: which labels each row holds."""
    return np.array([[label in row for label in labels] for row in held])


def _single(part: Judged) -> dict[str, Any]:
    right, given = part.truth.argmax(1), part.said.argmax(1)
    wrong = np.flatnonzero(right != given).tolist()
    pairs = Counter((part.labels[right[row]], part.labels[given[row]]) for row in wrong)
    matrix = np.zeros((len(part.labels),) * 2, int)
    np.add.at(matrix, (right, given), 1)
    surest = sorted(wrong, key=lambda row: -part.scores[row, given[row]])[:SHOWN]
    return {
        "labels": list(part.labels),
        "confusion": matrix.tolist(),
        "confused": [
            {"truth": truth, "answer": answer, "rows": count}
            for (truth, answer), count in pairs.most_common(SHOWN)
        ],
        "confident": [
            _mistake(part, row, part.labels[right[row]], part.labels[given[row]], given[row])
            for row in surest
        ],
        "rare": _rare(part, right, given),
    }


def _rare(part: Judged, right: Any, given: Any) -> list[dict[str, Any]]:
    """Recall of the rarest labels, beside the accuracy of all other rows."""
    count = part.truth.sum(0)
    rarest = [label for label in np.argsort(count, kind="stable") if count[label]][:RARE_SHOWN]
    return [
        {
            "label": part.labels[label],
            "rows": int(count[label]),
            "recall": round(100 * float((given[right == label] == label).mean()), 1),
            "rest": round(100 * float((given == right)[right != label].mean()), 1),
        }
        for label in rarest
        if count[label] < len(right)
    ]


def _multi(part: Judged) -> dict[str, Any]:
    missed, extra = part.truth & ~part.said, part.said & ~part.truth
    wrong = np.where(missed, 1 - part.scores, np.where(extra, part.scores, 0.0))
    surest = np.argsort(-wrong, axis=None, kind="stable")[:SHOWN]
    listed = []
    for place in surest:
        row, column = np.unravel_index(place, wrong.shape)
        if wrong[row, column] > 0:
            label = part.labels[column]
            truth, answer = (label, "-") if missed[row, column] else ("-", label)
            listed.append(_mistake(part, int(row), truth, answer, int(column)))
    return {
        "labels": [
            {
                "label": label,
                "rows": int(part.truth[:, place].sum()),
                "missed": int(missed[:, place].sum()),
                "extra": int(extra[:, place].sum()),
            }
            for place, label in enumerate(part.labels)
        ],
        "confident": listed,
    }


def _mistake(part: Judged, row: int, truth: str, answer: str, column: int) -> dict[str, Any]:
    score = round(float(part.scores[row, column]), 3)
    return {"text": part.rows[row].text, "truth": truth, "answer": answer, "score": score}


def describe(found: dict[str, Any]) -> list[str]:
    """The same as Markdown lines."""
    lines = []
    for task, facts in found.items():
        lines += ["", f"## Mistakes: {task}", ""]
        if "confusion" in facts:
            lines += _matrix(facts) if len(facts["labels"]) <= LARGEST_MATRIX else []
            lines += _table("Worst confusions", facts["confused"])
            lines += _table(
                "Rarest labels: their recall, and the accuracy of the rest", facts["rare"]
            )
        else:
            lines += _table("Labels", facts["labels"])
        lines += _table(
            "Most confident mistakes; they may be mistakes of the data", facts["confident"]
        )
    return lines


def _matrix(facts: dict[str, Any]) -> list[str]:
    rows = [
        {"truth": label, **dict(zip(facts["labels"], counts, strict=True))}
        for label, counts in zip(facts["labels"], facts["confusion"], strict=True)
    ]
    return _table("Confusion: a row per true label, a column per answer", rows)


def _table(title: str, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    cells = [
        list(rows[0]),
        ["---"] * len(rows[0]),
        *([str(v) for v in row.values()] for row in rows),
    ]
    safe = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in cells]
    return [f"{title}:", "", *(f"| {' | '.join(line)} |" for line in safe), ""]
