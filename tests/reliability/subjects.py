"""The commands that are disturbed: where each writes what, and what makes two results the same."""

from __future__ import annotations

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from model.bundle import MODEL, TOKENIZER, read_bundle
from tests.reliability.faults import Moment
from tests.reliability.promises import Promises
from tests.reliability.tiny_recipe import STEPS
from training.stages import STAGE_NAMES

WRITE_S = 0.08
"""A kill comes so soon after a write began."""
CHECKPOINT_PARTS = 3.1
"""Bytes of a checkpoint by those of its network: two moments of each weight come with it."""


class Subject(ABC):
    """A command of `python -m training` and its output directory."""

    def __init__(self, recipe: Path, out: Path) -> None:
        self.recipe, self.out = recipe, out

    @property
    def work(self) -> Path:
        return self.out.with_name(f"{self.out.name}.work")

    @property
    @abstractmethod
    def arguments(self) -> list[str]:
        """Of `python -m training`."""

    @abstractmethod
    def moments(self) -> list[Moment]:
        """When it is disturbed, in the order of a run; read from an undisturbed run in `out`."""

    @abstractmethod
    def rewind(self, moment: Moment, promises: Promises) -> None:
        """Take away what was done past a moment, so that it comes again."""

    @abstractmethod
    def outcome(self) -> dict[str, Any]:
        """What has to be the same whatever happened on the way."""

    def leftovers(self) -> list[str]:
        """What a finished command should have removed."""
        paths = self.out.parent.rglob("*")
        return [str(path) for path in paths if path.match(".*.new") or path.name == "checkpoints"]


class WholeRun(Subject):
    """`run`: all stages, one bundle."""

    @property
    def arguments(self) -> list[str]:
        return ["run", str(self.recipe), "--out", str(self.out), "--no-report"]

    def moments(self) -> list[Moment]:
        moments = []
        for stage in STAGE_NAMES:
            folder = self.work / stage
            if not folder.exists():  # the recipe goes without it
                continue
            seconds = json.loads((folder / "finished.json").read_text())["seconds"]["wall"]
            size = size_of(folder)
            moments.append(
                Moment(stage, line=f"{stage}: ", most_s=seconds, most_bytes=size, stage=stage)
            )
            if stage in STEPS:
                moments += self._checkpoints(stage, int(size * CHECKPOINT_PARTS))
        size, parent = size_of(self.out), relative(self.out.parent)
        new = f".{self.out.name}.*.new"
        write = Moment(
            "writing the bundle", line="bundle: ", folder=parent, name=new, most_s=0.003,
            most_bytes=size, stage="bundle",
        )  # fmt: skip
        report = Moment("writing the report", line="bundle: finished before", most_s=0.03)
        whole_s = sum(moment.most_s for moment in moments)
        start = Moment("any moment", most_s=whole_s, most_bytes=size_of(self.work), stage="teacher")
        return [*moments, *[write] * 3, report, *[start] * 5]

    def _checkpoints(self, stage: str, size: int) -> list[Moment]:
        folder = f"{relative(self.work)}/{stage}/checkpoints"
        return [
            Moment(
                f"checkpoint {step} of {stage}", line=f"{stage}: ", folder=folder,
                name=f"checkpoint-{step}",
                most_s=WRITE_S, most_bytes=int(size * 0.9), stage=stage, step=step,
            )
            for step in range(1, STEPS[stage] + 1)
        ]  # fmt: skip

    def rewind(self, moment: Moment, promises: Promises) -> None:
        if not moment.stage:
            return
        folder = self.work / moment.stage
        steps = [int(path.name.split("-")[1]) for path in folder.glob("checkpoints/*")]
        if (folder / "finished.json").exists() or moment.step in steps:
            later = STAGE_NAMES[STAGE_NAMES.index(moment.stage) :]
            for stage in later:
                shutil.rmtree(self.work / stage, ignore_errors=True)
            promises.forget(set(later))

    def outcome(self) -> dict[str, Any]:
        """fastText's figures are left out: its threads race."""
        bundle = read_bundle(self.out)
        metrics = {name: part for name, part in bundle.metrics.items() if name != "fasttext"}
        return {**{name: sha256(self.out / name) for name in (MODEL, TOKENIZER)}, **metrics}


class Sweep(Subject):
    """`sweep`: a teacher, two students, and the one that is chosen."""

    NETWORKS = ("teacher", "1x96", "1x64")

    @property
    def arguments(self) -> list[str]:
        return ["sweep", str(self.recipe), "--out", str(self.out), "--max-mb", "3"]

    @property
    def _points(self) -> Path:
        return self.work / "sweep" / "points"

    def moments(self) -> list[Moment]:
        moments = []
        for name in self.NETWORKS:
            point = self._points / name
            moments += [
                Moment(
                    f"measuring {name}", line=f"{name}: trained", most_s=8.0,
                    most_bytes=3 * size_of(point), stage=name,
                ),
                Moment(
                    f"recording {name}", line=f"{name}: trained", folder=relative(self._points),
                    name=name, most_s=0.003, stage=name,
                ),
            ]  # fmt: skip
        parent, new = relative(self.out.parent), f".{self.out.name}.*.new"
        report = f"{parent}/{self.out.name}.report"
        return [
            *moments,
            Moment("writing the report", folder=report, name=".sweep.*.new", most_s=1.0),
            Moment("writing the bundle", folder=parent, name=new, most_s=0.01),
        ]

    def rewind(self, moment: Moment, promises: Promises) -> None:
        if moment.stage in promises.measured or (self._points / moment.stage).exists():
            shutil.rmtree(self._points / moment.stage)
            promises.measured.discard(moment.stage)

    def outcome(self) -> dict[str, Any]:
        """The graph of every bundle; their times decide which of them is chosen."""
        graphs = {
            str(path.relative_to(self._points)): sha256(path)
            for path in sorted(self._points.rglob(MODEL))
        }
        return {**graphs, "one of them is chosen": sha256(self.out / MODEL) in graphs.values()}


def relative(path: Path) -> str:
    """From the disk's folder: every subject has a directory of its own in it."""
    return str(Path(*path.parts[path.parts.index("disk") + 1 :]))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
