"""How is a bundle trained from Python? What a recipe says, said in a call.

    from training import train

    bundle = train(frame, {"topic": "single"}, "mine", student={"epochs": 3})

Wherever a recipe names a file of rows or texts, a DataFrame may stand. It is written as JSON lines
into `OUT.work/`, by whose content the stages know it again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.aside import file_aside
from model.bundle import Bundle, read_bundle
from tables.frames import frame_rows, is_frame
from tables.row import TableError
from tables.writer import json_lines
from training.recipe import WITH_FILES, Recipe, RecipeError, recipe_of
from training.stages import STAGE_NAMES

CALL = "train()"
"""What messages call the document, which has no file."""
Frames = dict[Path, Any]
"""DataFrames by the file that each is written to."""


def train(
    data: Any,
    tasks: Mapping[str, Any],
    out: str | os.PathLike[str],
    *,
    load_report: bool = False,
    **sections: Any,
) -> Bundle:
    """Train into the directory `out`, going on where the same call was stopped before.

    `data` is a DataFrame of pandas or polars, the path of a table, a list of them, or the section
    `[data]` as a dict whose `files` are one of these. `tasks` are `{name: "single"}`, "multi", or
    a dict of the task's keys. `sections` are all others of a recipe, each a dict. Paths are from
    the working directory. `load_report` adds four minutes of load after the run.

    Returns the bundle with its metrics. Raises RecipeError and DataError for what cannot be run,
    BundleError where `out` holds other files, RunError for a run without its result.
    """
    recipe, frames = recipe_of_call(data, tasks, Path(out), sections)
    for path, frame in frames.items():
        _write_frame(frame, path)
    from training.pipeline import train as run_recipe  # torch: only here

    run_recipe(recipe, Path(out), STAGE_NAMES[-1], load_report)
    return read_bundle(Path(out))


def recipe_of_call(
    data: Any, tasks: Mapping[str, Any], out: Path, sections: Mapping[str, Any]
) -> tuple[Recipe, Frames]:
    """The recipe of a call of `train`, and the frames to write first. Raises RecipeError."""
    frames: Frames = {}
    document = dict(
        data=data if isinstance(data, Mapping) else {"files": data},
        task=[_task(name, task) for name, task in tasks.items()],
        **sections,
    )
    work = Path(f"{out.resolve()}.work")
    for key in WITH_FILES:
        section = document.get(key)
        if isinstance(section, Mapping) and "files" in section:
            files = _files(section["files"], work / f"{key}.jsonl", frames)
            document[key] = {**section, "files": files}
    return recipe_of(document, CALL, Path.cwd(), out.resolve().name), frames


def _task(name: str, task: Any) -> dict[str, Any]:
    return {"name": name, **(task if isinstance(task, Mapping) else {"kind": task})}


def _files(files: Any, target: Path, frames: Frames) -> list[Any]:
    """The files of a section; its frames join `frames`, by numbered names like `target`."""
    entries = files if isinstance(files, list | tuple) else [files]
    return [
        _file(entry, target.with_stem(f"{target.stem}-{number}"), frames)
        for number, entry in enumerate(entries, 1)
    ]


def _file(entry: Any, target: Path, frames: Frames) -> Any:
    """A file as a recipe names it: "path", or a dict with "path"."""
    if isinstance(entry, Mapping):
        return {**entry, "path": _file(entry["path"], target, frames)} if "path" in entry else entry
    if is_frame(entry):
        frames[target] = entry
        return str(target)
    if isinstance(entry, str | os.PathLike):
        return os.fspath(entry)
    raise RecipeError(
        f"{CALL}: a {type(entry).__name__}; give a DataFrame of pandas or polars, the path of a "
        "table, or a list of them"
    )


def _write_frame(frame: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file_aside(path) as aside, aside.open("wb") as file:
            file.writelines(json_lines([row]) for row in frame_rows(frame))
    except TableError as error:
        raise RecipeError(f"{CALL}: {error}") from None
