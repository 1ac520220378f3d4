"""Is a new bundle at least as good as the one that is deployed? On rows that both held out.

    python -m training compare RECIPE DEPLOYED CANDIDATE [--max-drop POINTS] [--out FILE]

Points lost per task with the 95 % interval; training/judge/held_out_drops.py says on which rows. A
task passes when it lost at most --max-drop as measured. Beyond that it is refused when even the
interval's low end is beyond, or when the candidate no longer answers it, and undecided otherwise.
A task that no row compares is undecided.
The exit status is 0 (all pass), 1 (refused, with the reason), 2 (wrong arguments, recipe or bundle)
or 3 (undecided, none refused).
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.aside import write_json
from training.judge.drops import Drop
from training.judge.held_out_drops import compare_held_out
from training.judge.intervals import interval_text
from training.recipe import Recipe
from training.rows.table import read_table

REFUSED, UNDECIDED = 1, 3
"""Exit statuses."""


def compare_bundles(
    recipe: Recipe, deployed: Path, candidate: Path, max_drop: float, out: Path | None
) -> int:
    """Print the drops and refusals, write them to `out` as JSON; returns the exit status.

    Raises BundleError.
    """
    table = read_table(recipe)
    comparison = compare_held_out(table, deployed, candidate)
    drops = comparison.drops
    refused = [f"{name}: not answered any more" for name in sorted(comparison.gone)]
    undecided = [
        f"{name}: not compared: no labelled test row has answers of both; were its labels renamed?"
        for name in sorted(comparison.unknown)
    ]
    print(f"compared: {comparison.note}")
    for drop in drops:
        verdict = drop.verdict(max_drop)
        print(f"{drop.task:20} {_figures(drop)}  {verdict}")
        if verdict == "refused":
            lost = f"lost {drop.drop:.2f} points, for certain more than {max_drop:g}"
            refused.append(f"{drop.task}: {lost}")
        elif verdict == "undecided":
            undecided.append(drop.doubt(max_drop))
        elif not drop.is_proven(max_drop):
            print(f"warning: {drop.doubt(max_drop)}")
    if not drops:
        refused.append("no task in common with rows in the test split; nothing shows it is as good")
    for reason in refused:
        print(f"refused: {reason}")
    for reason in undecided:
        print(f"undecided: {reason}")
    if out:
        measured = [_as_json(drop, max_drop) for drop in drops]
        facts = {"compared": comparison.note, "drops": measured}
        write_json(out, {**facts, "refused": refused, "undecided": undecided})
    return REFUSED if refused else UNDECIDED if undecided else 0


def _figures(drop: Drop) -> str:
    before = f"{drop.before:6.2f} {interval_text(drop.before_interval)}"
    after = f"{drop.after:6.2f} {interval_text(drop.after_interval)}"
    return f"{before}  {after}  lost {drop.drop:+.2f} ({drop.low:+.2f} to {drop.high:+.2f})"


def _as_json(drop: Drop, max_drop: float) -> dict[str, Any]:
    sides = {"before": "deployed", "after": "candidate"}
    fields = {}
    for name, value in asdict(drop).items():
        side, _, rest = name.partition("_")
        fields["_".join(filter(None, (sides.get(side, side), rest)))] = value
    return {**fields, "verdict": drop.verdict(max_drop)}


def main(arguments: list[str]) -> int:
    """`python -m training.compare`: the same as `python -m training compare`."""
    from training.__main__ import main as training

    return training(["compare", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
