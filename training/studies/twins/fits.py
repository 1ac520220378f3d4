"""How well does one network do after so many steps? Trained, exported, and judged as served.

What is kept of a network is its figures; its weights go once they are measured.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from training.judge.evaluate import evaluate
from training.judge.metrics import HEADLINE
from training.origins import fingerprint
from training.pipeline import run_stages
from training.quantize.export import export_network
from training.recipe import Attention, Recipe, TaskSpec
from training.run import Run

Figures = dict[str, float | None]
"""{task: accuracy or micro-F1 in percent on the test split}; None: no row is labelled."""


@dataclass(frozen=True)
class Twin:
    """One network to be trained."""

    tasks: tuple[TaskSpec, ...]
    """All of the recipe's, or one."""
    attention: Attention
    seed: int

    @property
    def name(self) -> str:
        of = "-".join(task.column.removeprefix("task ") for task in self.tasks)
        return f"{self.attention}-tasks-{of}-seed-{self.seed}"


def figures(recipe: Recipe, twin: Twin, steps: int, work: Path) -> Figures:
    """What `twin` reaches after `steps`; trained now unless that was recorded before."""
    teacher = replace(recipe.teacher, steps=steps, attention=twin.attention, seed=twin.seed)
    own = replace(recipe, tasks=twin.tasks, teacher=teacher)
    record = work / f"{twin.name}.json"
    made_from = fingerprint(own, "teacher")
    if record.exists():
        known = json.loads(record.read_text())
        if known["made_from"] == made_from:
            print(f"{twin.name}: measured before, kept", flush=True)
            return dict(known["figures"])
    print(f"{twin.name}: trained and measured now", flush=True)
    found = _trained(own, work / twin.name)
    aside = record.with_suffix(".new")
    aside.write_text(json.dumps({"made_from": made_from, "figures": found}))
    aside.replace(record)
    shutil.rmtree(work / f"{twin.name}.work")
    return found


def _trained(recipe: Recipe, target: Path) -> Figures:
    run = Run(recipe, target)
    run_stages(run, "teacher")
    bundle = run.work / "bundle"
    export_network(run, "teacher", bundle)
    tasks = evaluate(run.table, bundle)["tasks"]
    return {task.name: tasks[task.name][HEADLINE[task.kind]] for task in recipe.tasks}
