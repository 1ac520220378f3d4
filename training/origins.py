"""What is a stage's result made from, and what of it has changed since?

Its keys of the recipe, its code, and the stage before it; the first stage stands on the data, the
base, the tasks and the versions of the libraries.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tables.reader import TableError, files_of
from tables.remote_table import RemoteTable, TableLocation
from training.base import FILES, resolve_base
from training.recipe import DataFile, Recipe, RecipeError, TaskSpec
from training.rows.splits import RULE
from training.stage_code import code_digests
from training.stages import STAGES, Stage

LIBRARIES = (
    "torch", "transformers", "accelerate", "tokenizers", "onnx", "onnxscript", "onnxruntime",
    "numpy", "scipy", "scikit-learn",
)  # fmt: skip
NAMED = 3  # changed files in one reason
Origin = dict[str, Any]
"""Plain JSON, so that it compares equal to what was stored."""


def stages_up_to(recipe: Recipe, last: str) -> list[Stage]:
    """The stages of a run of `recipe` until `last`; raises RecipeError when it has none."""
    stages = [stage for stage in STAGES if stage.is_wanted(recipe)]
    names = [stage.name for stage in stages]
    if last not in names:
        makes = next(stage.makes for stage in STAGES if stage.name == last)
        raise RecipeError(f"the recipe leaves the stage {last} out, which makes {makes}")
    return stages[: names.index(last) + 1]


def origins(recipe: Recipe, stages: list[Stage]) -> Iterator[tuple[Stage, Origin]]:
    """Each of `stages`, and what it is made from. Raises RecipeError without base or table."""
    origin = _ground(recipe)
    for stage in stages:
        keys = {"recipe": stage.keys(recipe), "code": code_digests(stage.module)}
        origin = json.loads(json.dumps({**keys, **origin}))
        yield stage, origin
        origin = {"stage before": _digest({"name": stage.name, **origin})}


def fingerprint(recipe: Recipe, last: str) -> str:
    """One digest of all that the stages up to `last` are made from."""
    *_, (_, origin) = origins(recipe, stages_up_to(recipe, last))
    return _digest(origin)


def changes(before: Origin, after: Origin) -> str:
    """What differs, for people; empty when nothing does."""
    return "; ".join(
        _change(key, before.get(key), value)
        for key, value in after.items()
        if before.get(key) != value
    )


def _change(key: str, before: Any, after: Any) -> str:
    if key == "stage before":
        return "the stage before it ran again"
    if not isinstance(before, dict) or not isinstance(after, dict):
        return f"{key} changed"
    parts = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    if key in ("code", "base"):
        more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
        return f"{key} changed: {', '.join(parts[:NAMED])}{more}"
    return ", ".join(
        f"{key} {part}: {_short(before.get(part))} is now {_short(after.get(part))}"
        for part in parts
    )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else "..."


def _ground(recipe: Recipe) -> Origin:
    """What the first stage stands on; later stages inherit it through their predecessor."""
    texts = recipe.pretrain.files if recipe.pretrain else ()
    base = resolve_base(recipe.base)
    return {
        "data": [_data_file(file) for file in recipe.data.files],
        "text": [[f.path.name, _table_digest(f.path), f.text] for f in texts],
        "base": {name: file_digest(base / name) for name in FILES},
        "rule that draws the splits": RULE,
        "data key": asdict(replace(recipe.data, files=())),
        "task": {task.name: _cells(task) for task in recipe.tasks},
        "order of the tasks": [task.name for task in recipe.tasks],
        "version": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _data_file(file: DataFile) -> list[str | None]:
    role = "corrects" if file.corrects else file.split
    return [file.path.name, _table_digest(file.path), role]


def _cells(task: TaskSpec) -> list[str]:
    """Of which kind a task is, and where its labels are."""
    separator = [f"separator {task.separator}"] if task.separator else []
    marks = [f"0/1 column {name}" for name in task.columns]
    return [task.kind, task.column, *marks, *separator]


def _table_digest(location: TableLocation) -> str | None:
    if not isinstance(location, RemoteTable):
        return file_digest(location)
    try:
        return _digest(location.version())
    except TableError as error:
        raise RecipeError(str(error)) from None


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file, or of a directory's table files; None where there is neither."""
    if path.is_dir():
        return _digest({str(f.relative_to(path)): file_digest(f) for f in files_of(path)})
    if not path.is_file():
        return None  # read_table reports it, with a remedy
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
