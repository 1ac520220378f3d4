"""How many rows of a rare label are found, and would a threshold on energy find more?

    python -m training.studies.rare_label mine.toml --out mine --label other

reads what a run has left in `mine.work`. `as shipped` are the answers of the int8 bundle. At the
same cost, and at others, other rows are given the label: those of highest energy of the other
labels' logits (Liu and others, 2020) in the networks as they were trained, and those where the
bundle's logit of the label is furthest ahead. These thresholds are set on the test rows themselves.
A cost is counted in points of the accuracy of all other test rows, from that of the same network
as it was trained, its likeliest label taken.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from model.classifier import Classifier
from tables.text import markdown
from training.fit.batches import examples, network_logits
from training.judge.corrected_heads import corrected_network
from training.recipe import read_recipe
from training.rows.table import Row
from training.run import Run

COSTS = (0.5, 1.0, 1.5)

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


class Answers:
    """One network's logits [rows, labels] of a single-label task, against `right` [rows]."""

    def __init__(self, logits: Floats, right: NDArray[np.intp], column: int) -> None:
        others = np.delete(logits, column, axis=1)
        best = others.argmax(1)
        self.of_label = right == column
        self.right_else = ~self.of_label & (best + (best >= column) == right)
        """Rows that are answered right as long as they do not get the label."""
        self.margin: Floats = logits[:, column] - others.max(1)
        self.energy: Floats = -logsumexp(others, axis=1)
        self.likeliest: Marks = self.margin > 0

    def accuracy(self, given: Marks) -> float:
        """Of the rows with other labels, in percent, when those `given` get the label."""
        return 100 * float((self.right_else & ~given).sum() / (~self.of_label).sum())

    def at_cost(self, score: Floats, before: float, cost: float) -> Marks:
        """The rows with the highest scores that lose at most `cost` points of `before`."""
        order = np.sort(score[self.right_else])[::-1]
        rest = (~self.of_label).sum()
        spare = round(self.right_else.sum() - (before - cost) / 100 * rest, 6)
        threshold = order[min(int(spare), len(order) - 1)] if spare >= 0 else np.inf
        return score > threshold


class AnswerRule(NamedTuple):
    title: str
    before: float
    answers: Answers
    given: Marks


def table_of(run: Run, label: str) -> str:
    """Markdown: what is lost and what is found, of all and of each slice."""
    place, task = next(
        (place, task) for place, task in enumerate(run.table.tasks) if label in task.labels
    )
    column, head = task.labels.index(label), run.heads[task.name]
    rows = [row for row in run.table.split("test") if row.targets[place]]
    right = np.array([task.labels.index(next(iter(row.targets[place] or ()))) for row in rows])

    def trained(stage: str) -> Answers:
        network, _ = corrected_network(run, stage, raised=False)
        logits = network_logits(network, examples(run, rows))
        return Answers(head.of(logits).astype(np.float64), right, column)

    bundle = Classifier.load(run.work / "quantize/int8", threads=os.cpu_count() or 1)
    logits = head.of(bundle.logits([row.text for row in rows]))
    shipped = Answers(logits.astype(np.float64), right, column)
    cells = [
        [line.title, *(f"{figure:.1f}" for figure in _figures(line, rows))]
        for line in _lines(trained("teacher"), trained("student"), shipped)
    ]
    return markdown(["", "lost", "found", *_slices(rows)], cells)


def _lines(teacher: Answers, student: Answers, shipped: Answers) -> Iterator[AnswerRule]:
    of_teacher, of_student = (each.accuracy(each.likeliest) for each in (teacher, student))
    yield AnswerRule("teacher, likeliest label", of_teacher, teacher, teacher.likeliest)
    yield AnswerRule("student, likeliest label", of_student, student, student.likeliest)
    yield AnswerRule("as shipped", of_student, shipped, shipped.likeliest)
    spent = round(of_student - shipped.accuracy(shipped.likeliest), 2)
    for cost in (spent, *COSTS):
        at = f"at a cost of {cost:g}"
        given = teacher.at_cost(teacher.energy, of_teacher, cost)
        yield AnswerRule(f"{at}: energy of the teacher", of_teacher, teacher, given)
        given = student.at_cost(student.energy, of_student, cost)
        yield AnswerRule(f"{at}: energy of the student", of_student, student, given)
        given = student.at_cost(student.margin, of_student, cost)
        yield AnswerRule(f"{at}: student, offset alone", of_student, student, given)
        given = shipped.at_cost(shipped.margin, of_student, cost)
        yield AnswerRule(f"{at}: as shipped, offset moved", of_student, shipped, given)


def _figures(line: AnswerRule, rows: list[Row]) -> Iterator[float]:
    """Points lost, percent found, and found in each slice."""
    of_label, given = line.answers.of_label, line.given
    yield line.before - line.answers.accuracy(given)
    yield 100 * float(given[of_label].mean())
    for name in _slices(rows):
        part = of_label & np.array([row.slice == name for row in rows])
        yield 100 * float(given[part].mean())


def _slices(rows: list[Row]) -> list[str]:
    return sorted({row.slice for row in rows if row.slice})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path, help="a .toml file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="of a finished run")
    parser.add_argument("--label", required=True, help="the rare label")
    options = parser.parse_args()
    run = Run(read_recipe(options.recipe), options.out)
    if not any(options.label in task.labels for task in run.table.tasks):
        parser.error(f"no task has the label {options.label!r}")
    print(table_of(run, options.label))
    return 0


if __name__ == "__main__":
    sys.exit(main())
