"""Which settings suit the student? A seeded search, cheap first, judged on validation alone.

Settings drawn from SPACE are fitted for a few steps; the better third goes on to three times as
many, from the start, and so on (successive halving: Jamieson and Talwalkar, 2016). The recipe's
own settings are in every round. What was measured once is kept.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tables.text import markdown
from training.fit.schedule import student_rate
from training.origins import fingerprint
from training.recipe import Recipe, Student
from training.run import Run
from training.studies.study import (
    Headlines,
    bold,
    mean,
    measured_once,
    percent,
    trained_headlines,
    write_results,
)

SPACE: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-4, 2e-4, 3e-4, 5e-4, 8e-4),
    "temperature": (1.0, 2.0, 4.0),
    "alpha": (0.5, 0.8, 1.0),
    "piece_dropout": (0.0, 0.1, 0.15, 0.25),
    "typos": (0.0, 0.1, 0.2, 0.3),
}
FACTOR = 3
"""One in so many settings goes on, with so many times the steps."""


@dataclass(frozen=True)
class Trial:
    settings: Student
    steps: int
    tasks: Headlines
    """On validation."""

    @property
    def score(self) -> float:
        return mean(self.tasks)


def search(recipe: Recipe, out: Path, trials: int, steps: int, seed: int) -> int:
    """Search, and write OUT.report/search.{md,json}. Returns the exit status."""
    rate = student_rate(recipe.student, len(Run(recipe, out).table.split("train")))
    recipe = replace(recipe, student=replace(recipe.student, learning_rate=rate))
    run = Run(recipe, out)
    rivals = drawn_settings(recipe.student, trials - 1, seed)
    rounds: list[list[Trial]] = []
    while True:
        measured = [_trial(run, settings, steps) for settings in (recipe.student, *rivals)]
        rounds.append(sorted(measured, key=lambda trial: trial.score, reverse=True))
        if len(rivals) <= 1:
            break
        best = [trial.settings for trial in rounds[-1] if trial.settings != recipe.student]
        rivals, steps = best[: max(1, len(rivals) // FACTOR)], steps * FACTOR
    document = {
        "name": recipe.name,
        "seed": seed,
        "rounds": [[asdict(trial) for trial in trials_of_round] for trials_of_round in rounds],
    }
    print(write_results(run, "search", _report(recipe, rounds, seed), document))
    return 0


def drawn_settings(own: Student, count: int, seed: int) -> list[Student]:
    """`count` different settings other than `own`, as far as SPACE has so many."""
    dice, drawn = random.Random(seed), {own: None}
    for _ in range(100 * count):
        if len(drawn) > count:
            break
        values: dict[str, Any] = {key: dice.choice(choices) for key, choices in SPACE.items()}
        drawn[replace(own, **values)] = None
    return list(drawn)[1:]


def _trial(run: Run, settings: Student, steps: int) -> Trial:
    """How these settings do after `steps`."""
    recipe = replace(run.recipe, student=replace(settings, steps=steps))
    made_from, work = fingerprint(recipe, "student"), run.work / "search"
    tasks = measured_once(
        work / f"{made_from[:16]}.json",
        f"{steps} steps, {_described(settings)}",
        made_from,
        lambda: trained_headlines(recipe, work / "student", "student", "validation"),
    )
    return Trial(settings, steps, tasks)


def _described(settings: Student) -> str:
    return ", ".join(f"{key} {getattr(settings, key):g}" for key in SPACE)


def _report(recipe: Recipe, rounds: list[list[Trial]], seed: int) -> str:
    header = [*SPACE, *(task.name for task in recipe.tasks), "mean"]
    parts = [
        f"# {recipe.name}: settings of the student",
        f"Seed {seed}; fp32 on validation, percent; the mean over tasks decides, and the recipe's "
        "own settings are in bold. The winner of many is flattered by chance: judge it on test "
        "once.",
    ]
    for trials in rounds:
        rows = [bold(_cells(trial), trial.settings == recipe.student) for trial in trials]
        parts += [f"After {trials[0].steps} steps:", markdown(header, rows)]
    return "\n\n".join([*parts, f"Best: {_described(rounds[-1][0].settings)}."])


def _cells(trial: Trial) -> list[str]:
    return [
        *(f"{getattr(trial.settings, key):g}" for key in SPACE),
        *map(percent, trial.tasks.values()),
        f"{trial.score:.2f}",
    ]
