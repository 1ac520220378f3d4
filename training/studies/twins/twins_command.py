"""What does sharing one network cost or gain each task, and what does attention between tasks?

For both kinds of attention and every seed one network learns all tasks, and one network per task
learns that task alone: the same rows, steps and settings, fine-tuned and not distilled. What is
kept of a network is its figures; its weights go once they are measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from model.aside import file_aside
from tables.reader import Fields
from tables.writer import json_lines
from training.origins import fingerprint
from training.recipe import ATTENTIONS, Attention, DataFile, Recipe, TaskSpec
from training.rows.table import Row, Table
from training.run import Run
from training.studies.study import Headlines, measured_once, trained_headlines
from training.studies.twins.twins_report import Results, write_twins_report


@dataclass(frozen=True)
class Twin:
    """One network to be trained."""

    tasks: tuple[TaskSpec, ...]
    """All of the recipe's, or one."""
    attention: Attention
    seed: int

    @property
    def name(self) -> str:
        places = "-".join(task.column.removeprefix("task ") for task in self.tasks)
        return f"{self.attention}-tasks-{places}-seed-{self.seed}"


def twins(recipe: Recipe, out: Path, steps: int, seeds: int) -> int:
    """Train, compare, and write OUT.report/twins.{md,json}. Returns the exit status."""
    run = Run(recipe, out)
    work = run.work / "twins"
    written = with_written_rows(recipe, run.table, work / "rows.jsonl")
    results: Results = {}
    for twin in _twins(written, seeds):
        alone = len(twin.tasks) == 1 and len(recipe.tasks) > 1
        for task, figure in _headlines(written, twin, steps, work).items():
            if figure is not None:
                key = (twin.attention, "alone" if alone else "shared", task)
                results.setdefault(key, []).append(figure)
    print(write_twins_report(run, results, steps, seeds))
    return 0


def _twins(recipe: Recipe, seeds: int) -> Iterator[Twin]:
    """Seed by seed, so that what a stopped run has measured compares."""
    for seed in range(1, seeds + 1):
        for attention in ATTENTIONS:
            yield Twin(recipe.tasks, attention, seed)
            for task in recipe.tasks:
                if len(recipe.tasks) > 1:
                    yield Twin((task,), attention, seed)


def _headlines(recipe: Recipe, twin: Twin, steps: int, work: Path) -> Headlines:
    """What `twin` reaches on the test split after `steps`."""
    teacher = replace(recipe.teacher, steps=steps, attention=twin.attention, seed=twin.seed)
    twin_recipe = replace(recipe, tasks=twin.tasks, teacher=teacher)
    target = work / twin.name
    tasks = measured_once(
        work / f"{twin.name}.json",
        twin.name,
        fingerprint(twin_recipe, "teacher"),
        lambda: trained_headlines(twin_recipe, target, "teacher", "test"),
    )
    shutil.rmtree(Run(twin_recipe, target).work, ignore_errors=True)
    return tasks


def with_written_rows(recipe: Recipe, table: Table, path: Path) -> Recipe:
    """The recipe on the rows of its `table`, which are written to `path` with their splits.

    Carving depends on the tasks, so a twin of one task would carve other test rows for itself. Rows
    that are not labelled for its task stay as unlabelled text: the vocabularies are alike.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with file_aside(path) as aside:
        aside.write_bytes(json_lines([_fields(table, row) for row in table.rows]))
    tasks = tuple(
        replace(task, column=f"task {place}") for place, task in enumerate(recipe.tasks, 1)
    )
    files = (DataFile(path),)
    data = replace(recipe.data, files=files, text="text", split="split", group="group", slice=None)
    return replace(recipe, data=data, tasks=tasks)


def _fields(table: Table, row: Row) -> Fields:
    kind, _, group = row.group.partition(":")
    return {
        "text": row.text,
        "split": row.split,
        "group": group if kind == "group" else None,  # else its text is its group
        **{
            f"task {place}": labels
            for place, labels in enumerate(table.json_labels(row).values(), 1)
        },
    }
