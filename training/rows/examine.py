"""What is in the data, before hours go into it? Counts, faults and the time a run will take.

Warnings name tasks, labels and lines; only what makes a run impossible is an error.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.fit.schedule import student_epochs, teacher_epochs
from training.recipe import SPLITS, Recipe
from training.rows.splits import normalise
from training.rows.table import Row, Table, read_table

LOPSIDED = 0.95  # share of one label from which a task is said to be lopsided
SHOWN = 20  # labels listed per task, most frequent first
NAMED = 3  # examples named per warning
TOKENS_PER_TEXT = 1.35  # pieces per word, measured on the shipped table
FIXED_TOKENS = 2  # [CLS] and [SEP]
EFFICIENCY = 0.5  # of a plain matrix product's speed that training reaches
PARAMETERS = {"layers": 6, "per_layer": 1.77e6}  # of the default base


def check(recipe: Recipe) -> int:
    """Print the report. Returns the exit status: 0, with warnings too."""
    table = read_table(recipe)
    rows = Counter(row.split or "unlabelled" for row in table.rows)
    print(", ".join(f"{rows[name]} {name}" for name in (*SPLITS, "unlabelled") if rows[name]))
    for line in _label_counts(table):
        print(line)
    for line in warnings(table):
        print(f"warning: {line}")
    print(f"a run will take about {estimated_minutes(recipe, table):.0f} minutes on this machine")
    return 0


def _label_counts(table: Table) -> Iterator[str]:
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        counts = {name: _count(table.split(name), index) for name in SPLITS}
        total = sum(counts.values(), Counter[str]())
        labelled = sum(row.targets[index] is not None for row in table.rows)
        yield f"\n{task.name} ({task.kind}): {len(labels)} labels on {labelled} rows"
        yield f"  {'label':30} " + " ".join(f"{name:>10}" for name in SPLITS)
        for label, _ in total.most_common(SHOWN):
            yield f"  {label:30} " + " ".join(f"{counts[name][label]:10}" for name in SPLITS)
        if len(labels) > SHOWN:
            yield f"  and {len(labels) - SHOWN} more, down to {min(total.values())} rows"


def _count(rows: list[Row], index: int) -> Counter[str]:
    return Counter(label for row in rows for label in row.targets[index] or ())


def warnings(table: Table) -> Iterator[str]:
    """Sentences on what will hurt: rare labels, lopsided tasks, duplicates, conflicts, leakage."""
    yield from _weak_labels(table)
    places: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        places[normalise(row.text)].append(row)
    repeated = [rows for rows in places.values() if len(rows) > 1]
    yield from _described(
        "texts stand more than once with the same labels",
        [rows for rows in repeated if len({row.targets for row in rows}) < len(rows)],
    )
    yield from _described(
        "texts stand more than once with labels that contradict each other",
        [rows for rows in repeated if _conflicts(rows)],
    )
    yield from _described(
        "texts stand in more than one split, so that training has seen what judges it",
        [rows for rows in repeated if len({row.split for row in rows if row.split}) > 1],
    )


def _weak_labels(table: Table) -> Iterator[str]:
    train = table.split("train")
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        counts = _count(train, index)
        labelled = sum(row.targets[index] is not None for row in train)
        if not labelled:
            yield f"task {task.name}: no training row is labelled; nothing can be learnt"
            continue
        never = [label for label in labels if not counts[label]]
        once = [label for label in labels if counts[label] == 1]
        if never:
            yield f"task {task.name}: never in training: {_some(never)}"
        if once:
            yield f"task {task.name}: only one training example: {_some(once)}"
        for split in ("validation", "test"):
            if not any(row.targets[index] is not None for row in table.split(split)):
                yield f"task {task.name}: no {split} row is labelled; its figures will be missing"
        if not counts:
            continue
        label, most = counts.most_common(1)[0]
        if len(labels) == 1 and task.kind == "single":
            yield f"task {task.name}: has the one label {label!r}; every answer will be it"
        elif most > LOPSIDED * labelled:
            yield f"task {task.name}: lopsided, {100 * most / labelled:.1f} % of rows are {label!r}"


def _described(what: str, cases: list[list[Row]]) -> Iterator[str]:
    if cases:
        examples = "; ".join(
            f"{rows[0].text[:40]!r} at " + " and ".join(_place(row) for row in rows[:2])
            for rows in cases[:NAMED]
        )
        yield f"{len(cases)} {what}: {examples}"


def _place(row: Row) -> str:
    path, _, line = row.place.rpartition(":")
    return f"{Path(path).name}:{line}"


def _conflicts(rows: list[Row]) -> bool:
    """Whether two rows answer the same task differently; different tasks do not conflict."""
    return any(
        len({target for target in answers if target is not None}) > 1
        for answers in zip(*(row.targets for row in rows), strict=True)
    )


def _some(labels: list[str]) -> str:
    rest = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(map(repr, labels[:SHOWN])) + rest


def estimated_minutes(recipe: Recipe, table: Table) -> float:
    """From the words to be read and the speed of this machine's matrix product, measured now."""
    train, transfer = table.split("train"), table.transfer
    words = np.mean([len(row.text.split()) for row in train])
    tokens = words * TOKENS_PER_TEXT + FIXED_TOKENS + len(table.tasks)
    epochs = student_epochs(recipe, len(train), len(transfer))
    layers = PARAMETERS["layers"]
    passes = len(train) * teacher_epochs(recipe.teacher, len(train)) * layers
    passes += (len(train) + len(transfer)) * (epochs * recipe.student.layers + layers / 3)
    operations = 6 * PARAMETERS["per_layer"] * tokens * passes
    return 1 + float(operations) / (_products_per_second() * EFFICIENCY) / 60


def _products_per_second() -> float:
    """Floating-point operations a second of a product like the network's."""
    import torch

    wide = torch.randn(512, 384), torch.randn(384, 1536)
    for _ in range(3):
        torch.mm(*wide)
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < 0.3:
        torch.mm(*wide)
        rounds += 1
    return rounds * 2 * 512 * 384 * 1536 / (time.perf_counter() - start)
