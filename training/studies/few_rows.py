"""With so many rows a label, is what ships better than what people would try first?

    python -m training.studies.few_rows --sources ../shared/data --out DIR

Draws rows of BANKING77 and HWU64, trains each draw by default settings, and compares the shipped
int8 bundle, which is fitted to all drawn rows and to no test row, with two models of the same rows:
logistic regression on the base's frozen sentence vectors, and a linear model of TF-IDF, their
strengths chosen by cross-validation. The task is the intent, judged on the set's own test split.
With `--unlabelled` the rows that are not drawn come along as text without labels, which is what
people have.

What was measured is in DIR/NAME.json, so a study that was stopped goes on.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.aside import write_text
from tables.text import markdown
from tables.writer import json_lines
from training.fit.sentence_vectors import sentence_vectors
from training.judge.judged import judge_bundle
from training.judge.linear import text_features
from training.pipeline import run_stages
from training.recipe import read_recipe
from training.recipes import hwu64
from training.rows.table import Row
from training.run import Run
from training.studies.study import measured_once

RECIPE = """name = "few-rows"
[data]
files = ["rows.jsonl"]
slice = "part"
[ship]
never_fitted = ["test"]
"""
TASK = """[[task]]
name = "{name}"
kind = "single"
"""
INTENT, FOLDS = "intent", 5
COLUMNS = ("shipped", "held_out", "teacher", "frozen", "linear", "best_margin", "minutes", "mb")

Fields = dict[str, str]


class Draw(NamedTuple):
    table: str
    rows_per_label: int | None
    """None: all rows."""
    seed: int
    unlabelled: bool = False
    """Whether the other rows come along without their labels."""

    @property
    def name(self) -> str:
        suffix = "-unlabelled" * self.unlabelled
        return f"{self.table}-{self.rows_per_label or 'all'}-{self.seed}{suffix}"


def banking77(sources: Path) -> Iterator[Fields]:
    """The rows of both files."""
    for split in ("train", "test"):
        with (sources / "banking77" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {"text": row["text"], INTENT: row["category"], "split": split}


TABLES: dict[str, Callable[[Path], Iterator[Fields]]] = {
    "banking77": banking77,
    "hwu64": lambda sources: hwu64.rows(sources / "hwu64"),
}


def drawn_rows(rows: Sequence[Fields], draw: Draw) -> Iterator[Fields]:
    """So many rows of each intent, of those that train; a split for validation is carved of them.

    All test rows come along, as the slice that is never fitted. Of all rows none are drawn, and a
    validation split stays as it is.
    """
    by_label: dict[str, list[Fields]] = defaultdict(list)
    for row in rows:
        if row["split"] == "test":
            yield {**row, "part": "test"}
        elif draw.rows_per_label is None:
            yield row
        elif row["split"] == "train":
            by_label[row[INTENT]].append(row)
    dice = random.Random(draw.seed)
    for _, candidates in sorted(by_label.items()):
        sampled = dice.sample(candidates, min(draw.rows_per_label or 0, len(candidates)))
        yield from sampled
        if draw.unlabelled:
            yield from ({"text": row["text"]} for row in candidates if row not in sampled)


def measured(draw: Draw, folder: Path, rows: Sequence[Fields]) -> dict[str, Any]:
    """Percent right of the test rows, and what the run took; the bundle is removed afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = list(drawn_rows(rows, draw))
    (folder / "rows.jsonl").write_bytes(json_lines(drawn))
    tasks = [name for name in drawn[0] if name not in ("text", "split", "part")]
    write_text(folder / "recipe.toml", RECIPE + "".join(TASK.format(name=name) for name in tasks))
    run = Run(read_recipe(folder / "recipe.toml"), folder / "out")
    seconds = run_stages(run)
    figures = {
        "shipped": _right(run, run.target),
        "held_out": _right(run, run.work / "quantize" / "int8"),
        "teacher": _right(run, run.work / "export" / "teacher"),
        **_simple_models(run),
        "minutes": sum(times["cpu"] for times in seconds.values()) / 60,
        "mb": sum(path.stat().st_size for path in run.target.iterdir()) / 1e6,
    }
    figures["best_margin"] = figures["shipped"] - max(figures["frozen"], figures["linear"])
    shutil.rmtree(folder)
    return {key: round(figures[key], 2) for key in COLUMNS}


def _right(run: Run, bundle: Path) -> float:
    tasks = {task.name: task for task in judge_bundle(run.table, bundle, "test")}
    return tasks[INTENT].headline or 0.0


def _simple_models(run: Run) -> dict[str, float]:
    """Models of all rows that the bundle knows, by their name here."""
    place = next(n for n, task in enumerate(run.table.tasks) if task.name == INTENT)
    train = [row for row in run.table.rows if row.split in ("train", "validation")]
    parts = train, run.table.split("test")
    texts = [[row.text for row in rows] for rows in parts]
    known, truth = (_labels(rows, place) for rows in parts)
    vectors = [sentence_vectors(run.base, part, run.max_tokens) for part in texts]
    frozen = GridSearchCV(LogisticRegression(max_iter=100), {"C": (10, 30, 100)}, cv=FOLDS)
    svm = GridSearchCV(LinearSVC(), {"C": (0.3, 1, 3)}, cv=FOLDS)
    linear = make_pipeline(text_features(len(train)), svm)
    return {
        "frozen": 100 * float(frozen.fit(vectors[0], known).score(vectors[1], truth)),
        "linear": 100 * float(linear.fit(texts[0], known).score(texts[1], truth)),
    }


def _labels(rows: Sequence[Row], place: int) -> NDArray[np.str_]:
    return np.array([next(iter(row.targets[place] or ("",))) for row in rows])


def report(records: dict[Draw, dict[str, Any]]) -> str:
    """Markdown: the mean over the seeds of each table and size, with the standard deviation."""
    groups: dict[tuple[str, int | None], list[dict[str, Any]]] = defaultdict(list)
    for draw, record in records.items():
        groups[draw.table, draw.rows_per_label].append(record)
    header = ["table", "rows a label", "seeds", *COLUMNS]
    cells = [
        [table, str(size or "all"), str(len(group)), *(_spread(group, name) for name in COLUMNS)]
        for (table, size), group in groups.items()
    ]
    return markdown(header, cells)


def _spread(group: Sequence[dict[str, Any]], name: str) -> str:
    values = [record[name] for record in group]
    return f"{fmean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.studies.few_rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sources", type=Path, required=True, help="folder of both sets")
    parser.add_argument("--out", type=Path, required=True, help="where figures are kept")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rows", nargs="+", default=["10", "5", "20", "all"], help="per label")
    parser.add_argument("--unlabelled", action="store_true", help="other rows without labels")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each size (5)")
    options = parser.parse_args(arguments)
    sizes = [None if size == "all" else int(size) for size in options.rows]
    records: dict[Draw, dict[str, Any]] = {}
    for seed in range(1, options.seeds + 1):
        for size in sizes if seed == 1 else filter(None, sizes):
            for table in options.tables:
                draw = Draw(table, size, seed, options.unlabelled and size is not None)
                records[draw] = _recorded(draw, options.out, options.sources)
                write_text(options.out / "few_rows.md", report(records) + "\n")
    print(report(records))
    return 0


def _recorded(draw: Draw, out: Path, sources: Path) -> dict[str, Any]:
    rows = list(TABLES[draw.table](sources))
    return measured_once(
        out / f"{draw.name}.json",
        draw.name,
        list(draw),
        lambda: measured(draw, out / draw.name, rows),
    )


if __name__ == "__main__":
    sys.exit(main())
