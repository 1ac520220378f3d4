"""Do all twins see the same split? The table with every split written down, once.

Carving depends on the tasks, so a twin of one task would carve other test rows for itself. Rows
that are not labelled for its task stay as unlabelled text, which keeps the vocabularies alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from model.aside import file_aside
from tables.reader import Fields
from tables.writer import json_lines
from training.recipe import DataFile, Recipe
from training.rows.table import Row, Table


def with_written_rows(recipe: Recipe, table: Table, path: Path) -> Recipe:
    """The recipe on the rows of its `table`, which are written to `path` with their splits."""
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
