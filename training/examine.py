"""What is in the data, before hours go into it? Counts, faults and the time a run will take.

Warnings name tasks, labels and lines; only what makes a run impossible is an error.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tables.text import aligned
from training.fit.schedule import student_epochs, teacher_epochs
from training.recipe import SPLITS, Recipe
from training.rows.splits import normalise
from training.rows.table import Row, Table, read_table

LOPSIDED = 0.95  # share of one label above which a task is called lopsided
SHOWN_LABELS = 20  # per task, most frequent first
SHOWN_EXAMPLES = 3  # per warning
SHOWN_CHARS = 40  # of a text
TOKENS_PER_WORD = 1.35  # measured on the shipped table
FIXED_TOKENS = 2  # [CLS] and [SEP]
EFFICIENCY = 0.5  # of a plain matrix product's speed that training reaches
BASE_LAYERS, LAYER_PARAMETERS = 6, 1.77e6  # of the default base


def examine(recipe: Recipe) -> int:
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
    for index, head in enumerate(table.heads):
        counts = [_count(table.split(name), index) for name in SPLITS]
        total = sum(counts, Counter[str]())
        labelled = sum(row.targets[index] is not None for row in table.rows)
        yield f"\n{head.name} ({head.kind}): {len(head.labels)} labels on {labelled} rows"
        shown = [label for label, _ in total.most_common(SHOWN_LABELS)]
        lines = [[label, *(str(count[label]) for count in counts)] for label in shown]
        yield from (f"  {line}" for line in aligned([["label", *SPLITS], *lines]))
        if len(head.labels) > SHOWN_LABELS:
            hidden = len(head.labels) - SHOWN_LABELS
            yield f"  and {hidden} more, down to {min(total.values())} rows"


def _count(rows: list[Row], index: int) -> Counter[str]:
    return Counter(label for row in rows for label in row.targets[index] or ())


def warnings(table: Table) -> Iterator[str]:
    """Sentences on what will hurt: rare labels, lopsided tasks, duplicates, conflicts, leakage."""
    yield from _weak_labels(table)
    rows_of_text: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        rows_of_text[normalise(row.text)].append(row)
    repeated = [rows for rows in rows_of_text.values() if len(rows) > 1]
    problems: dict[str, Callable[[list[Row]], bool]] = {
        "texts occur more than once with the same labels": (
            lambda rows: len({row.targets for row in rows}) < len(rows)
        ),
        "texts occur more than once with labels that contradict each other": _conflicts,
        "texts occur in more than one split, so that training sees what judges it": (
            lambda rows: len({row.split for row in rows if row.split}) > 1
        ),
    }
    for problem, has_problem in problems.items():
        if cases := [rows for rows in repeated if has_problem(rows)]:
            examples = "; ".join(map(_example, cases[:SHOWN_EXAMPLES]))
            yield f"{len(cases)} {problem}: {examples}"


def _weak_labels(table: Table) -> Iterator[str]:
    rows = {split: table.split(split) for split in SPLITS}
    for index, head in enumerate(table.heads):
        counts = _count(rows["train"], index)
        labelled = sum(row.targets[index] is not None for row in rows["train"])
        if not labelled:
            yield f"task {head.name}: no training row is labelled; nothing can be learnt"
            continue
        if never := [label for label in head.labels if not counts[label]]:
            yield f"task {head.name}: never in training: {_listed(never)}"
        if once := [label for label in head.labels if counts[label] == 1]:
            yield f"task {head.name}: only one training example: {_listed(once)}"
        for split in SPLITS[1:]:
            if not any(row.targets[index] is not None for row in rows[split]):
                yield f"task {head.name}: no {split} row is labelled; its figures will be missing"
        if not counts:
            continue
        label, most = counts.most_common(1)[0]
        if len(head.labels) == 1 and head.kind == "single":
            yield f"task {head.name}: has the one label {label!r}; every answer will be it"
        elif most > LOPSIDED * labelled:
            share = f"{100 * most / labelled:.1f} %"
            yield f"task {head.name}: lopsided, {share} of rows are {label!r}"


def _example(rows: list[Row]) -> str:
    """The text of one case, and where it stands."""
    places = (row.place.rpartition(":") for row in rows[:2])
    shown = " and ".join(f"{Path(path).name}:{line}" for path, _, line in places)
    return f"{rows[0].text[:SHOWN_CHARS]!r} at {shown}"


def _conflicts(rows: list[Row]) -> bool:
    """Whether two rows answer the same task differently; different tasks do not conflict."""
    return any(
        len({target for target in targets if target is not None}) > 1
        for targets in zip(*(row.targets for row in rows), strict=True)
    )


def _listed(labels: list[str]) -> str:
    more = f" and {len(labels) - SHOWN_LABELS} more" if len(labels) > SHOWN_LABELS else ""
    return ", ".join(map(repr, labels[:SHOWN_LABELS])) + more


def estimated_minutes(recipe: Recipe, table: Table) -> float:
    """From the words to be read and the speed of this machine's matrix product, measured now."""
    from training.fit.speed import product_speed  # torch: only here

    train, transfer = table.split("train"), table.transfer
    words = np.mean([len(row.text.split()) for row in train])
    tokens = words * TOKENS_PER_WORD + FIXED_TOKENS + len(table.tasks)
    epochs = student_epochs(recipe, len(train), len(transfer))
    teacher_passes = len(train) * teacher_epochs(recipe.teacher, len(train)) * BASE_LAYERS
    student_passes = epochs * recipe.student.layers + BASE_LAYERS / 3  # of each text's layers
    passes = teacher_passes + (len(train) + len(transfer)) * student_passes
    operations = 6 * LAYER_PARAMETERS * tokens * passes
    return 1 + float(operations) / (product_speed(512, 384, 1536, bf16=False) * EFFICIENCY) / 60
