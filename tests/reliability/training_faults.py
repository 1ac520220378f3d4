"""Does a training run lose what it said is saved? Real runs, killed and out of disk everywhere.

    python -m tests.reliability.training_faults --out profiling/reports/reliability

A tiny recipe is trained without any fault first. Then the same command is killed, or its disk
filled, in each stage, in each write of a checkpoint and of the bundle, and at random moments;
every time it is given again. Needs root or user namespaces, for a disk in memory.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from model.aside import write_json, write_text
from tables.text import markdown
from tests.reliability.disk import Disk, run_again_with_own_mounts
from tests.reliability.faults import FULL, KILL, KINDS, Fault, drawn
from tests.reliability.launch import Ended, Launch
from tests.reliability.promises import Promises, half_written, taken_for_whole, wrong_complaint
from tests.reliability.subjects import Subject, Sweep, WholeRun
from tests.reliability.tiny_recipe import write_recipe

FORMAT = 1
TRIES = 4
"""How often a moment is waited for that passes too soon."""
SUBJECTS = {"run": WholeRun, "sweep": Sweep}
SHORT = (
    (FULL, "checkpoint 3 of teacher"),
    (KILL, "checkpoint 2 of student"),
    (FULL, "writing the bundle"),
)


@dataclass
class Endured:
    """What a subject went through."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    runs: int = 0
    finished: int = 0
    """Runs to the end, each with the undisturbed run's result."""


class Trial:
    """One subject on the disk: undisturbed, then through faults."""

    def __init__(self, subject: Subject, disk: Disk) -> None:
        self._subject, self._disk = subject, disk
        self._promises = Promises()
        self._expected: dict[str, Any] = {}
        self.endured = Endured()

    def undisturbed(self) -> None:
        ended = self._launch(None)
        assert ended.status == 0, ended.errors
        self._expected = self._subject.outcome()

    def start_anew(self) -> None:
        shutil.rmtree(self._subject.out.parent)
        self._subject.out.parent.mkdir()
        self._promises = Promises()

    def endure(self, fault: Fault) -> None:
        for _ in range(TRIES):
            self._subject.rewind(fault.moment, self._promises)
            ended = self._launch(fault)
            if ended.struck:
                self._record(fault, ended)
                return
            self._finish(ended)
        self.endured.missed.append(f"{fault.kind}: {fault.moment.what}")

    def finish(self) -> None:
        self._finish(self._launch(None))

    def _launch(self, fault: Fault | None) -> Ended:
        ended = Launch(self._subject.arguments, self._disk).end(fault)
        ended.half_written = sorted(half_written(self._subject.out))
        self._disk.free()
        self.endured.runs += 1
        self._tell(self._promises.hear(ended.lines), fault)
        return ended

    def _record(self, fault: Fault, ended: Ended) -> None:
        out = self._subject.out
        self._tell(self._promises.broken_on_disk(out), fault)
        self._tell(taken_for_whole(out), fault)
        if fault.kind == FULL:
            self._tell(wrong_complaint(ended.errors), fault)
        row = {
            "kind": fault.kind,
            "moment": fault.moment.what,
            "half_written": ended.half_written,
            "saved_steps": dict(self._promises.steps),
            "finished_stages": len(self._promises.finished),
        }
        self.endured.faults.append(row)
        print(f"{fault.kind}: {fault.moment.what}; half-written: {row['half_written']}", flush=True)

    def _finish(self, ended: Ended) -> None:
        if ended.status != 0:
            self._tell([f"it ended with {ended.status}: {ended.errors[-2000:]}"], None)
            return
        actual = self._subject.outcome()
        wrong = [key for key, value in self._expected.items() if actual.get(key) != value]
        self._tell([f"{key} is another than without faults" for key in wrong], None)
        self._tell([f"{path} is left over" for path in self._subject.leftovers()], None)
        self.endured.finished += 1

    def _tell(self, broken: list[str], fault: Fault | None) -> None:
        for line in broken:
            where = f"after {fault.kind} at {fault.moment.what}: " if fault else ""
            self.endured.broken.append(where + line)
            print(f"BROKEN: {self.endured.broken[-1]}", file=sys.stderr, flush=True)


def campaign(names: list[str], seed: int, folder: Path, short: bool) -> dict[str, Endured]:
    """{subject: what it went through}."""
    (folder / "recipe").mkdir()
    (folder / "disk").mkdir()
    recipe, disk, random = write_recipe(folder / "recipe"), Disk(folder / "disk"), Random(seed)
    endured = {}
    with closing(disk):
        for name in names:
            out = disk.folder / name / "out"
            out.parent.mkdir()
            subject = SUBJECTS[name](recipe, out)
            endured[name] = endure_all(Trial(subject, disk), subject, random, short)
    return endured


def endure_all(trial: Trial, subject: Subject, random: Random, short: bool) -> Endured:
    trial.undisturbed()
    faults = drawn(subject.moments(), random)
    if short:
        by_name = {(fault.kind, fault.moment.what): fault for fault in faults}
        faults = [by_name[key] for key in SHORT]
    trial.start_anew()
    for fault in faults:
        trial.endure(fault)
    trial.finish()
    return trial.endured


def write_record(folder: Path, seed: int, endured: dict[str, Endured]) -> None:
    """Write training_faults.json and .md."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "format": FORMAT,
        "seed": seed,
        "commands": {name: vars(part) for name, part in endured.items()},
    }
    write_json(folder / "training_faults.json", document)
    text = "\n\n".join(
        f"`python -m training {name}`: {sentence(part)}\n\n{table(part)}"
        for name, part in endured.items()
    )
    write_text(folder / "training_faults.md", text + "\n")


def sentence(endured: Endured) -> str:
    kinds = Counter(row["kind"] for row in endured.faults)
    torn = sum(bool(row["half_written"]) for row in endured.faults)
    return (
        f"{kinds[KILL]} times SIGKILL and {kinds[FULL]} times a full disk, of which {torn} left "
        f"something half-written, in {endured.runs} runs of which {endured.finished} came to the "
        f"end; {len(endured.broken) or 'no'} promises broken, {len(endured.missed) or 'no'} "
        "moments missed."
    )


def table(endured: Endured) -> str:
    counts = Counter((row["moment"], row["kind"]) for row in endured.faults)
    torn = Counter(row["moment"] for row in endured.faults if row["half_written"])
    names = dict.fromkeys(row["moment"] for row in endured.faults)
    rows = [[name, *(str(counts[name, kind]) for kind in KINDS), str(torn[name])] for name in names]
    return markdown(["moment", *KINDS, "left half-written"], rows, numbers_from=1)


def main() -> int:
    """Returns the exit status: 1 when a promise was broken or a moment missed."""
    parser = argparse.ArgumentParser(
        "python -m tests.reliability.training_faults", description=__doc__
    )
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--short", action="store_true", help="three faults of run, a minute")
    parser.add_argument("--out", type=Path, help="directory for training_faults.json and .md")
    options = parser.parse_args()
    run_again_with_own_mounts("tests.reliability.training_faults")
    with tempfile.TemporaryDirectory() as folder:
        names = ["run"] if options.short else options.subjects
        endured = campaign(names, options.seed, Path(folder), options.short)
    if options.out:
        write_record(options.out, options.seed, endured)
    return 1 if any(part.broken or part.missed for part in endured.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
