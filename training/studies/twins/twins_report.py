"""What did the twins show? Two tables for people, the same as one JSON document for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.judge.metrics import HEADLINE
from training.recipe import ATTENTIONS, Recipe
from training.studies.twins.difference import Difference, difference

FORMAT = 1
Results = dict[tuple[str, str, str], list[float]]
"""{(attention, shared or alone, task): figures in percent, by seed}."""


def write_twins_report(recipe: Recipe, out: Path, results: Results, steps: int, seeds: int) -> str:
    """Write OUT.report/twins.{md,json}; return the text for the terminal."""
    sharing = [
        {"attention": attention, "task": task.name, "kind": task.kind, "found": found}
        for attention in ATTENTIONS
        for task in recipe.tasks
        if (found := _between(results, (attention, "alone"), (attention, "shared"), task.name))
    ]
    attention = [
        {"task": task.name, "kind": task.kind, "found": found}
        for task in recipe.tasks
        if (found := _between(results, ("independent", "shared"), ("joint", "shared"), task.name))
    ]
    rows = recipe.teacher.batch_size * recipe.teacher.accumulation_steps
    text = "\n\n".join(
        [
            f"# {recipe.name}: one network for all tasks, or one for each",
            f"{steps} steps of {rows} rows for every network, {seeds} seed{'s' * (seeds > 1)}, "
            "fine-tuned from the base and not distilled; the budget is reduced, so figures compare "
            "with each other and not with a full run's. Accuracy (single label) or micro-F1 "
            "(multi-label) in percent on the same test rows, through the serving classifier. "
            "Differences in points with the 95 % t-interval over seeds, paired by seed; bold where "
            "it leaves out zero.",
            "## What sharing costs (-) or gains (+) each task",
            _table(["attention", "task", "alone", "shared"], ["attention", "task"], sharing),
            "## What control tokens that see each other cost or gain, all tasks in one network",
            _table(["task", "independent", "joint"], ["task"], attention),
        ]
    )
    folder = out.with_name(f"{out.name}.report")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "twins.md").write_text(text + "\n", encoding="utf-8")
    document = {
        "format": FORMAT,
        "name": recipe.name,
        "steps": steps,
        "rows_per_step": rows,
        "seeds": seeds,
        "sharing": [_plain(entry) for entry in sharing],
        "attention": [_plain(entry) for entry in attention],
        "figures": [
            {"attention": kind, "network": network, "task": task, "percent": figures}
            for (kind, network, task), figures in results.items()
        ],
    }
    (folder / "twins.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return f"{text}\n\ntables and JSON in {folder}"


def _between(
    results: Results, before: tuple[str, str], after: tuple[str, str], task: str
) -> Difference | None:
    old, new = results.get((*before, task)), results.get((*after, task))
    return difference(old, new) if old and new else None


def _table(header: list[str], keys: list[str], entries: list[dict[str, Any]]) -> str:
    if not entries:
        return "Nothing to compare: the recipe has one task, or none with test rows."
    lines = [
        [*header, "difference", "95 % interval"],
        [*["---"] * len(keys), *["---:"] * 4],
    ]
    for entry in entries:
        found: Difference = entry["found"]
        interval = "-" if found.low is None else f"{found.low:+.2f} to {found.high:+.2f}"
        points = f"{found.points:+.2f}"
        shown = f"**{points}**" if found.clear else points
        lines.append(
            [
                *(entry[key] for key in keys),
                f"{found.before:.2f}",
                f"{found.after:.2f}",
                shown,
                interval,
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with its difference rounded and its metric named."""
    found = {
        key: None if value is None else round(value, 3)
        for key, value in asdict(entry["found"]).items()
    }
    rest = {key: value for key, value in entry.items() if key not in ("found", "kind")}
    return {**rest, "metric": HEADLINE[entry["kind"]], **found, "clear": entry["found"].clear}
