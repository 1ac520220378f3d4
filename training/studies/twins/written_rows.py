"""Do all twins see the same split? The table with every split written down, once.

Carving depends on the tasks, so a twin of one task would carve other test rows for itself. Rows
that are not labelled for its task stay as unlabelled text, which keeps the vocabularies alike.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.recipe import DataFile, Recipe
from training.rows.table import Row, read_table


def with_written_rows(recipe: Recipe, path: Path) -> Recipe:
    """The recipe on the rows of its table, which are written to `path` with their splits."""
    table = read_table(recipe)
    tasks = tuple(
        replace(task, column=f"task {place}") for place, task in enumerate(recipe.tasks, 1)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    with aside.open("w", encoding="utf-8") as file:
        for row in table.rows:
            labels = zip(tasks, row.targets, strict=True)
            found = {task.column: _cell(task.kind, target) for task, target in labels}
            file.write(json.dumps({**_record(row), **found}) + "\n")
    aside.replace(path)
    data = replace(
        recipe.data,
        files=(DataFile(path),),
        text="text",
        split="split",
        group="group",
        slice=None,
    )
    return replace(recipe, data=data, tasks=tasks)


def _record(row: Row) -> dict[str, Any]:
    named, _, group = row.group.partition(":")
    return {
        "text": row.text,
        "split": row.split,
        "group": group if named == "group" else None,  # else its text is its group
    }


def _cell(kind: str, target: frozenset[str] | None) -> Any:
    if target is None:
        return None
    return sorted(target) if kind == "multi" else next(iter(target))
