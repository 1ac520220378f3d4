"""Does the advice of a run help? Planted errors, and the rows that it would label next.

    python -m training.studies.advice training/recipes/banking77.toml --task intent

Of a single-label task: labels changed at random in some rows, how many of them stand in the first
suspects, and what correcting these brings back; and from a few rows a label on, what as many rows
again bring, chosen or drawn at random. The model is the one that gives the advice, so all of it
takes minutes. Figures are of the test split.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from tables.text import markdown
from training.advice.quick_model import FOLDS, QuickModel, fit_quick
from training.advice.suspects import likeliest_wrong
from training.advice.to_label import margins, spread
from training.base import resolve_base
from training.fit.sentence_vectors import sentence_vectors
from training.recipe import read_recipe
from training.rows.table import Table, read_table

PLANTED, LOOKED_AT = 0.03, 0.05
"""Share of the rows whose labels are changed, and of those that are looked at."""
FEW, MORE = 10, 5
"""Rows a label to begin with, and to add."""
MAX_TOKENS = 128

Vectors = NDArray[np.float32]
Labels = NDArray[np.intp]
Part = tuple[Vectors, Labels]


def fitted(part: Part, labels: int, random: np.random.Generator) -> tuple[QuickModel, Vectors]:
    vectors, given = part
    truth = np.eye(labels, dtype=bool)[given]
    model, chances = fit_quick("single", vectors, truth, random.integers(0, FOLDS, len(given)))
    return model, chances.astype(np.float32)


def accuracy(model: QuickModel, test: Part) -> float:
    return 100 * float((model.probabilities(test[0]).argmax(1) == test[1]).mean())


def planted(train: Part, test: Part, labels: int, seed: int) -> list[float]:
    """Percent found; accuracy with right labels, with the errors, and with those mended."""
    random = np.random.default_rng(seed)
    vectors, right = train
    wrong = random.choice(len(right), round(PLANTED * len(right)), replace=False)
    given = right.copy()
    given[wrong] = (given[wrong] + random.integers(1, labels, len(wrong))) % labels
    before, _ = fitted(train, labels, random)
    with_errors, chances = fitted((vectors, given), labels, random)
    truth = np.eye(labels, dtype=bool)[given]
    looked_at = likeliest_wrong("single", truth, chances.astype(np.float64))
    first = looked_at[0][: round(LOOKED_AT * len(right))]
    mended = given.copy()
    mended[first] = right[first]
    after, _ = fitted((vectors, mended), labels, random)
    found = 100 * float(np.isin(wrong, first).mean())
    return [found, *(accuracy(model, test) for model in (before, with_errors, after))]


def label_next(train: Part, test: Part, labels: int, seed: int) -> list[float]:
    """Accuracy with FEW rows a label; with MORE drawn at random; with as many chosen."""
    random = np.random.default_rng(seed)
    vectors, given = train
    order = random.permutation(len(given))
    few = np.concatenate([order[given[order] == label][:FEW] for label in range(labels)])
    rest = np.setdiff1d(order, few)
    model, _ = fitted((vectors[few], given[few]), labels, random)
    count = MORE * labels
    drawn = random.choice(rest, count, replace=False)
    chosen = rest[spread(margins([model], vectors[rest]), vectors[rest], count)]
    figures = [accuracy(model, test)]
    for added in (drawn, chosen):
        rows = np.concatenate([few, added])
        figures.append(accuracy(fitted((vectors[rows], given[rows]), labels, random)[0], test))
    return figures


def parts_of(table: Table, base: Path, name: str) -> tuple[Part, Part, int]:
    """Vectors and labels of the training and test rows of a task, and how many labels it has."""
    place, task = next((n, task) for n, task in enumerate(table.tasks) if task.name == name)
    parts = []
    for split in ("train", "test"):
        rows = [row for row in table.split(split) if row.targets[place]]
        vectors = sentence_vectors(base, [row.text for row in rows], MAX_TOKENS)
        columns = [task.labels.index(next(iter(row.targets[place] or ()))) for row in rows]
        parts.append((vectors, np.array(columns)))
    return parts[0], parts[1], len(task.labels)


def told(table: list[list[float]], heads: list[str]) -> str:
    """A row per seed, their means, and the interval of the last column over the one before."""
    figures = np.array(table)
    differences = figures[:, -1] - figures[:, -2]
    reach = student_t.ppf(0.975, len(table) - 1) * differences.std(ddof=1) / len(table) ** 0.5
    cells = [[str(n + 1), *(f"{value:.1f}" for value in row)] for n, row in enumerate(table)]
    cells.append(["mean", *(f"{value:.1f}" for value in figures.mean(0))])
    mean = differences.mean()
    difference = f"{mean:+.2f} ({mean - reach:+.2f} to {mean + reach:+.2f})"
    return markdown(["seed", *heads], cells) + f"\n\n{heads[-1]} over {heads[-2]}: {difference}"


def report(train: Part, test: Part, labels: int, seeds: int) -> Iterator[str]:
    yield f"{100 * PLANTED:g} % of the labels changed; the first {100 * LOOKED_AT:g} % looked at:"
    heads = ["found", "right labels", "with errors", "mended"]
    yield told([planted(train, test, labels, seed) for seed in range(seeds)], heads)
    yield f"{FEW} rows a label, and {MORE} more:"
    heads = ["before", "drawn", "chosen"]
    yield told([label_next(train, test, labels, seed) for seed in range(seeds)], heads)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recipe", type=Path, help="a .toml file")
    parser.add_argument("--task", required=True, help="a single-label task of it")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="draws (5)")
    options = parser.parse_args()
    recipe = read_recipe(options.recipe)
    table = read_table(recipe)
    if not any(task.name == options.task and task.kind == "single" for task in table.tasks):
        parser.error(f"no single-label task {options.task!r}")
    print(
        "\n\n".join(
            report(*parts_of(table, resolve_base(recipe.base), options.task), options.seeds)
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
