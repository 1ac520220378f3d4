"""Is a new bundle at least as good as the one that is deployed? Both on the recipe's test split.

    python -m training.compare RECIPE DEPLOYED CANDIDATE [--max-drop POINTS] [--out FILE]

Points lost per task with the paired bootstrap's 95 % interval. A task is refused when even the
interval's low end is more than --max-drop, or when the candidate no longer answers it. The exit
status is 0, 1 (refused, with the reason) or 2 (asked wrongly).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from model.bundle import BundleError, read_bundle
from training.judge.evaluate import answers
from training.judge.metrics import answered, drop_interval, headline, label_counts
from training.recipe import RecipeError, read_recipe
from training.rows.table import DataError, Table, read_table

MAX_DROP = 0.5


@dataclass(frozen=True)
class Drop:
    """Points that one task loses from the deployed bundle to the candidate; negative: gains."""

    task: str
    deployed: float
    candidate: float
    drop: float
    low: float
    high: float

    def __str__(self) -> str:
        interval = f"{self.low:+.2f} to {self.high:+.2f}"
        return f"{self.task:20} {self.deployed:6.2f} {self.candidate:6.2f}  lost {interval}"


def compare(table: Table, deployed: Path, candidate: Path) -> list[Drop]:
    """The drop of each task that both bundles answer and the test split has rows for."""
    rows = table.split("test")
    before, after = answers(deployed, rows), answers(candidate, rows)
    shared = _tasks(deployed) & _tasks(candidate)
    drops = []
    for index, task in enumerate(table.tasks):
        if task.name not in shared:
            continue
        truth, was = answered(index, task.name, rows, before)
        _, now = answered(index, task.name, rows, after)
        if not truth:
            continue
        labels = sorted(set().union(*truth, *was, *now))
        old, new = (label_counts(labels, truth, said) for said in (was, now))
        scores = (float(headline(task.kind, counts)) for counts in (old, new))
        drops.append(Drop(task.name, *scores, *drop_interval(task.kind, old, new)))
    return drops


def refusals(
    table: Table, deployed: Path, candidate: Path, drops: list[Drop], allowed: float
) -> list[str]:
    """Why the candidate may not be proposed; none when it may."""
    wanted = {task.name for task in table.tasks} & _tasks(deployed)
    reasons = [f"{name}: not answered any more" for name in sorted(wanted - _tasks(candidate))]
    reasons += [
        f"{drop.task}: lost {drop.drop:.2f} points, for certain more than {allowed:g}"
        for drop in drops
        if drop.low > allowed
    ]
    if not drops:
        reasons.append("no task in common with rows in the test split; nothing shows it is as good")
    return reasons


def _tasks(bundle: Path) -> set[str]:
    return {task.name for task in read_bundle(bundle).tasks}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m training.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("recipe", type=Path)
    parser.add_argument("deployed", type=Path)
    parser.add_argument("candidate", type=Path)
    parser.add_argument("--max-drop", type=float, default=MAX_DROP, metavar="POINTS")
    parser.add_argument("--out", type=Path, metavar="FILE", help="writes the same as JSON")
    options = parser.parse_args(arguments)
    try:
        table = read_table(read_recipe(options.recipe))
        drops = compare(table, options.deployed, options.candidate)
        reasons = refusals(table, options.deployed, options.candidate, drops, options.max_drop)
    except (BundleError, DataError, RecipeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for drop in drops:
        print(drop)
    for reason in reasons:
        print(f"refused: {reason}")
    if options.out:
        content = {"drops": [asdict(drop) for drop in drops], "refused": reasons}
        options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
