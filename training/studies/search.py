"""Which settings suit the student? A seeded search, cheap first, judged on validation alone.

Settings drawn from SPACE are fitted for a few steps; the better third goes on to three times as
many, from the start, and so on (successive halving: Jamieson and Talwalkar, 2016). The recipe's
own settings are in every round. What was measured once is kept.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from training.origins import fingerprint
from training.pipeline import run_stages
from training.quantize.export import export_network
from training.recipe import Recipe, Student
from training.run import Run
from training.studies.sweep.measure import headlines, mean

SPACE: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 2e-4, 3e-4, 5e-4, 8e-4),
    "temperature": (1.0, 2.0, 4.0),
    "alpha": (0.5, 0.8, 1.0),
    "piece_dropout": (0.0, 0.1, 0.15, 0.25),
    "typos": (0.0, 0.1, 0.2, 0.3),
}
KEPT = 3  # one in so many goes on, with so many times the steps


@dataclass(frozen=True)
class Trial:
    settings: Student
    steps: int
    tasks: dict[str, float | None]
    """Accuracy or micro-F1 in percent on validation."""

    @property
    def score(self) -> float:
        return mean(self.tasks)


def search(recipe: Recipe, out: Path, trials: int, steps: int, seed: int) -> int:
    """Search, and write OUT.report/search.{md,json}. Returns the exit status."""
    out = out.resolve()
    work = out.with_name(f"{out.name}.work") / "search"
    work.mkdir(parents=True, exist_ok=True)
    own, rivals = recipe.student, _drawn(recipe.student, trials - 1, seed)
    rounds: list[list[Trial]] = []
    while True:
        found = [_measured(recipe, settings, steps, work) for settings in (own, *rivals)]
        rounds.append(sorted(found, key=lambda trial: trial.score, reverse=True))
        if len(rivals) <= 1:
            break
        ahead = [trial.settings for trial in rounds[-1] if trial.settings != own]
        rivals, steps = ahead[: max(1, len(rivals) // KEPT)], steps * KEPT
    print(_report(recipe, out, rounds, seed))
    return 0


def _drawn(own: Student, count: int, seed: int) -> list[Student]:
    """`count` different settings, as long as SPACE has them."""
    dice, found = random.Random(seed), {own: None}
    for _ in range(100 * count):
        if len(found) > count:
            break
        drawn: dict[str, Any] = {key: dice.choice(values) for key, values in SPACE.items()}
        found[replace(own, **drawn)] = None
    return list(found)[1:]


def _measured(recipe: Recipe, settings: Student, steps: int, work: Path) -> Trial:
    """How these settings do after `steps`: fitted now unless that was recorded before."""
    own = replace(recipe, student=replace(settings, steps=steps))
    record = work / f"{fingerprint(own, 'student')[:16]}.json"
    name = f"{steps} steps, {_named(settings)}"
    if record.exists():
        print(f"{name}: measured before, kept", flush=True)
        return Trial(settings, steps, json.loads(record.read_text()))
    print(f"{name}: fitted and measured now", flush=True)
    target = work / "student"
    run = Run(own, target)
    run_stages(run, "student")
    bundle = work / "bundle"
    export_network(run, "student", bundle)
    tasks = headlines(run.table, bundle, "validation")
    shutil.rmtree(bundle)
    aside = record.with_suffix(".new")
    aside.write_text(json.dumps(tasks))
    aside.replace(record)
    return Trial(settings, steps, tasks)


def _named(settings: Student) -> str:
    return ", ".join(f"{key} {getattr(settings, key):g}" for key in SPACE)


def _report(recipe: Recipe, out: Path, rounds: list[list[Trial]], seed: int) -> str:
    names = [task.name for task in recipe.tasks]
    lines = [
        f"# {recipe.name}: settings of the student",
        "",
        f"Seed {seed}; fp32 on validation, percent; the mean over tasks decides, and the recipe's "
        "own settings are in bold. The winner of many is flattered by chance: judge it on test "
        "once.",
    ]
    for found in rounds:
        header = [*SPACE, *names, "mean"]
        lines += ["", f"After {found[0].steps} steps:", "", _line(header)]
        lines.append(_line(["---"] * len(header)))
        lines += [_line(_cells(trial, trial.settings == recipe.student)) for trial in found]
    best = rounds[-1][0]
    lines += ["", f"Best: {_named(best.settings)}."]
    text = "\n".join(lines)
    folder = out.with_name(f"{out.name}.report")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "search.md").write_text(text + "\n", encoding="utf-8")
    document = {
        "name": recipe.name,
        "seed": seed,
        "rounds": [[asdict(trial) for trial in found] for found in rounds],
    }
    (folder / "search.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return f"{text}\n\ntable and JSON in {folder}"


def _cells(trial: Trial, own: bool) -> list[str]:
    cells = [f"{getattr(trial.settings, key):g}" for key in SPACE]
    cells += ["-" if value is None else f"{value:.1f}" for value in trial.tasks.values()]
    cells.append(f"{trial.score:.2f}")
    return [f"**{cell}**" for cell in cells] if own else cells


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
