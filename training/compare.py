"""Is a new bundle at least as good as the one that is deployed? Both on the recipe's test split.

    python -m training compare RECIPE DEPLOYED CANDIDATE [--max-drop POINTS] [--out FILE]

Points lost per task with the paired bootstrap's 95 % interval. A task is refused when even the
interval's low end is more than --max-drop, or when the candidate no longer answers it. The exit
status is 0, 1 (refused, with the reason) or 2 (wrong arguments, recipe or bundle).
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.aside import write_json
from training.judge.drops import Drop, measured_drops
from training.judge.judged import judge_bundle
from training.recipe import Recipe
from training.rows.table import read_table


def compare_bundles(
    recipe: Recipe, deployed: Path, candidate: Path, max_drop: float, out: Path | None
) -> int:
    """Print the drops and refusals, write them to `out` as JSON; returns the exit status.

    Raises BundleError.
    """
    table = read_table(recipe)
    before, after = (judge_bundle(table, path, "test") for path in (deployed, candidate))
    drops = measured_drops(before, after)
    gone = {task.name for task in before} - {task.name for task in after}
    reasons = [f"{name}: not answered any more" for name in sorted(gone)]
    reasons += [
        f"{drop.task}: lost {drop.drop:.2f} points, for certain more than {max_drop:g}"
        for drop in drops
        if drop.low > max_drop
    ]
    if not drops:
        reasons.append("no task in common with rows in the test split; nothing shows it is as good")
    for drop in drops:
        figures = f"{drop.before:6.2f} {drop.after:6.2f}"
        print(f"{drop.task:20} {figures}  lost {drop.low:+.2f} to {drop.high:+.2f}")
    for reason in reasons:
        print(f"refused: {reason}")
    if out:
        write_json(out, {"drops": [_as_json(drop) for drop in drops], "refused": reasons})
    return 1 if reasons else 0


def _as_json(drop: Drop) -> dict[str, Any]:
    fields = asdict(drop)
    return {"deployed": fields.pop("before"), "candidate": fields.pop("after"), **fields}


def main(arguments: list[str]) -> int:
    """`python -m training.compare`: the same as `python -m training compare`."""
    from training.__main__ import main as training

    return training(["compare", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
