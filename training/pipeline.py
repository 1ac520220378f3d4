"""Which stages still have to run? A run that was killed goes on where it stopped.

Every stage writes into `DIR.work/STAGE/`. It is finished once `finished.json` stands there, which
holds what the stage was made from: its keys of the recipe, the data's digests, the versions, and
the stage before it. When any of that changes, the stage and all that follow run again, and the
run says why. A stage that was only started goes on from its newest checkpoint.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import importlib.metadata
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from model.bundle import BundleError, read_bundle, refuse_other_files
from training.recipe import Recipe, RecipeError
from training.run import Run
from training.stages import STAGES, Stage

LIBRARIES = (
    "torch", "transformers", "accelerate", "tokenizers", "onnx", "onnxscript", "onnxruntime",
    "numpy", "scipy", "scikit-learn",
)  # fmt: skip


class BusyError(RuntimeError):
    """Another run is using the same output directory."""


def run_stages(run: Run, last: str = STAGES[-1].name) -> dict[str, Any]:
    """Bring all stages up to `last` up to date. Returns {stage: seconds taken, by kind}."""
    refuse_other_files(run.target)
    run.work.mkdir(parents=True, exist_ok=True)
    processes = PartialState(cpu=not torch.cuda.is_available())
    stages = _stages(run.recipe, last)
    with _alone(run.work, processes):
        for stage, made_from in _origins(run.recipe, stages):
            _bring_up_to_date(stage, run, made_from, processes)
    return {
        stage.name: json.loads((run.work / stage.name / "finished.json").read_text())["seconds"]
        for stage in stages
    }


def _stages(recipe: Recipe, last: str) -> list[Stage]:
    wanted = [s for s in STAGES if not s.optional or getattr(recipe, s.name) is not None]
    names = [stage.name for stage in wanted]
    if last not in names:
        raise RecipeError(f"the recipe has no [{last}] section: there is nothing to run")
    return wanted[: names.index(last) + 1]


def fingerprint(recipe: Recipe, last: str) -> str:
    """One digest of all that the stages up to `last` are made from."""
    *_, (_, made_from) = _origins(recipe, _stages(recipe, last))
    return _digest(made_from)


def _origins(recipe: Recipe, stages: list[Stage]) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """Each of `stages`, and what it is made from."""
    made_from = _ground(recipe)
    for stage in stages:
        made_from = {"recipe": _plain(stage.keys(recipe)), **made_from}
        yield stage, made_from
        made_from = {"stage before": _digest({"name": stage.name, **made_from})}


def _bring_up_to_date(
    stage: Stage, run: Run, made_from: dict[str, Any], processes: PartialState
) -> None:
    """Run `stage` unless it is finished; under torchrun every process comes here."""
    folder = run.work / stage.name
    finished, started = _read(folder / "finished.json"), _read(folder / "started.json")
    if finished.get("made_from") == made_from and _whole(stage, run):
        _say(processes, f"{stage.name}: finished before, kept")
        return
    processes.wait_for_everyone()
    if processes.is_main_process:
        if started.get("made_from") == made_from and not finished:
            _say(processes, f"{stage.name}: goes on where it was stopped")
        else:
            _say(processes, f"{stage.name}: {_reason(finished or started, made_from)}")
            for name in ("finished.json", "started.json"):  # before what they vouch for
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _write(folder / "started.json", {"made_from": made_from})
    processes.wait_for_everyone()
    wall, cpu = time.monotonic(), time.process_time()
    if stage.trains or processes.is_main_process:
        stage.run(run, folder)
    processes.wait_for_everyone()
    seconds = {
        "wall": round(time.monotonic() - wall, 1),
        "cpu": round(time.process_time() - cpu, 1),
    }
    if processes.is_main_process:
        _write(folder / "finished.json", {"made_from": made_from, "seconds": seconds})
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        _say(processes, f"{stage.name}: done in {seconds['wall']} s")
    processes.wait_for_everyone()


def _reason(before: dict[str, Any], made_from: dict[str, Any]) -> str:
    if not before:
        return "runs"
    old = before["made_from"]
    changed = [
        _difference(key, old.get(key), value)
        for key, value in made_from.items()
        if old.get(key) != value
    ]
    return f"runs again: {'; '.join(changed) or 'its result is missing or altered'}"


def _difference(key: str, old: Any, new: Any) -> str:
    if key == "stage before":
        return "the stage before it ran again"
    if not isinstance(old, dict) or not isinstance(new, dict):
        return f"{key} changed"
    parts = sorted(part for part in old.keys() | new.keys() if old.get(part) != new.get(part))
    return ", ".join(
        f"{key} {part}: {_short(old.get(part))} is now {_short(new.get(part))}" for part in parts
    )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else "..."


def _ground(recipe: Recipe) -> dict[str, Any]:
    """What the first stage stands on; later stages inherit it through their predecessor."""
    files = [[file.path.name, _file_digest(file.path), file.split] for file in recipe.data.files]
    keys = dataclasses.asdict(dataclasses.replace(recipe.data, files=()))
    texts = recipe.pretrain.files if recipe.pretrain else ()
    return {
        "data": files,
        "text": [[file.path.name, _file_digest(file.path), file.text] for file in texts],
        "base": _file_digest(Path(recipe.base) / "model.safetensors"),
        "data key": _plain(keys),
        "task": {task.name: [task.kind, task.column] for task in recipe.tasks},
        "version": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _whole(stage: Stage, run: Run) -> bool:
    """Whether the bundle in place is the one that the last stage wrote."""
    if stage is not STAGES[-1]:
        return True
    try:
        return read_bundle(run.target).digest == (run.work / stage.name / "digest.txt").read_text()
    except (BundleError, OSError):
        return False


@contextmanager
def _alone(work: Path, processes: PartialState) -> Iterator[None]:
    """Hold the work directory for this run; the lock goes with the process, however it ends."""
    if not processes.is_main_process:
        yield
        return
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{work}: another run is using it; wait for it or stop it") from None
        yield


def _plain(value: Any) -> Any:
    """The value as JSON gives it back, so that it compares equal to what was stored."""
    return json.loads(json.dumps(value, default=dataclasses.asdict))


def _file_digest(path: Path) -> str | None:
    if not path.is_file():
        return None  # reading the table says it better
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _write(path: Path, value: dict[str, Any]) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(value, indent=1))
    aside.replace(path)


def _say(processes: PartialState, line: str) -> None:
    if processes.is_main_process:
        print(line, flush=True)
