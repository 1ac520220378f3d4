"""What did the log say is saved? It must be there, load, and be where the next run goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

from model.bundle import BundleError, read_bundle

SAVED = re.compile(r"(\w+): step (\d+) of \d+ is saved")
DONE = re.compile(r"(\w+): done in [\d.]+ s")
GOES_ON = re.compile(r"(\w+): goes on from step (\d+)")
BEGINS = re.compile(r"(\w+): (?:runs|goes on where)")
MEASURED = re.compile(r"(\S+): measured and saved")
MEASURES = re.compile(r"(\S+): trained and measured now")
FULL_DISK = re.compile(
    r"error: (/.+): no space is left on its disk; free some and give the same command again: "
    r"it goes on from what is saved"
)


class Promises:
    """What runs in one output directory have said, and whether it was kept."""

    def __init__(self) -> None:
        self.finished: set[str] = set()
        self.steps: dict[str, int] = {}
        """Of stages that have not finished: the last step that was said to be saved."""
        self.measured: set[str] = set()
        """Networks of a sweep."""

    def forget(self, stages: set[str]) -> None:
        """The files of these stages are taken away on purpose."""
        self.finished -= stages
        self.steps = {stage: step for stage, step in self.steps.items() if stage not in stages}

    def hear(self, lines: list[str]) -> list[str]:
        """Learn what a run said. Returns what it did that breaks what the runs before it said."""
        broken = []
        earlier_steps, from_step = dict(self.steps), dict[str, int]()
        for line in lines:
            if (match := BEGINS.match(line)) and match[1] in self.finished:
                broken.append(f"{match[1]} had finished, and {line!r}")
            elif match := MEASURES.match(line):
                if match[1] in self.measured:
                    broken.append(f"{match[1]} had been measured, and {line!r}")
            elif match := GOES_ON.match(line):
                from_step[match[1]] = int(match[2])
            elif match := SAVED.match(line):
                self.steps[match[1]] = int(match[2])
            elif match := DONE.match(line):
                self.finished.add(match[1])
                self.steps.pop(match[1], None)
            elif match := MEASURED.match(line):
                self.measured.add(match[1])
        for stage, step in earlier_steps.items():
            went_on = stage in self.finished or self.steps.get(stage, 0) > step
            if stage in from_step and from_step[stage] < step:
                broken.append(f"{stage} had saved step {step}, went on from {from_step[stage]}")
            elif went_on and stage not in from_step:
                broken.append(f"{stage} had saved step {step}, began anew")
        return broken

    def broken_on_disk(self, out: Path) -> list[str]:
        """What was said to be saved below `out`.work and does not load."""
        work = out.with_name(f"{out.name}.work")
        return [
            *(f"{stage} is not finished" for stage in self.finished if not _finished(work / stage)),
            *(
                f"step {step} of {stage} does not load"
                for stage, step in self.steps.items()
                if not any(_loads(path, step) for path in (work / stage).glob("checkpoints/*"))
            ),
        ]


def _finished(folder: Path) -> bool:
    try:
        return "made_from" in json.loads((folder / "finished.json").read_text())
    except (OSError, ValueError):
        return False


def _loads(checkpoint: Path, least_step: int) -> bool:
    """Whether it is a whole checkpoint of that step or a later one."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text())
        load_file(checkpoint / "model.safetensors")
        for name in ("optimizer.pt", "scheduler.pt"):
            torch.load(checkpoint / name, weights_only=True)
    except Exception:
        return False
    return int(state["global_step"]) >= least_step


def taken_for_whole(out: Path) -> list[str]:
    """Results that stand at their place and are not whole."""
    broken = []
    if out.exists():
        try:
            read_bundle(out)
        except BundleError as error:
            broken.append(str(error))
    for path in out.with_name(f"{out.name}.report").glob("[!.]*"):
        if path.suffix == ".json":
            try:
                json.loads(path.read_text())
            except ValueError as error:
                broken.append(f"{path.name}: {error}")
        elif not path.read_bytes().strip():
            broken.append(f"{path.name} is empty")
    return broken


def half_written(out: Path) -> Iterator[str]:
    """What a fault left in the middle of being written."""
    for path in out.parent.rglob(".*"):
        if re.fullmatch(r"\..+\.\d+\.(new|old)", path.name):
            yield re.sub(r"\.\d+\.", ".", path.name)
    for path in out.parent.rglob("checkpoint-*"):
        if not (path / "trainer_state.json").exists():
            yield path.name


def wrong_complaint(errors: str) -> list[str]:
    """What is wrong with how a full disk was told: it takes one line, and no traceback."""
    told = [line for line in errors.splitlines() if line.startswith("error: ")]
    if "Traceback" in errors:
        return [f"a traceback: ...{errors[-1500:]}"]
    if len(told) != 1 or FULL_DISK.fullmatch(told[0]) is None:
        return [f"no line about the disk, but {told}: ...{errors[-500:]!r}"]
    return []
