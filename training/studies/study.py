"""What do all studies share? Each network is trained and measured once, and reported twice:
as a text with tables for people, and as one JSON document for programs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from model.aside import read_json, write_json, write_text
from training.judge.judged import judge_bundle
from training.pipeline import run_stages
from training.quantize.export import export_network
from training.recipe import Recipe
from training.rows.table import Table
from training.run import Run

Headlines = dict[str, float | None]
"""{task: accuracy (single label) or micro-F1 (multi-label), percent}; None: no row is labelled."""


def measured_once(
    record: Path, name: str, made_from: Any, measure: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """The result in the file `record` if it was made from the same, else that of `measure`.

    `made_from` and the result are JSON values. A study that was stopped goes on this way.
    """
    made_from = json.loads(json.dumps(made_from))  # tuples are lists in the record
    recorded = read_json(record)
    if isinstance(recorded, dict) and recorded.get("made_from") == made_from:
        print(f"{name}: measured before, kept", flush=True)
        result: dict[str, Any] = recorded["result"]
        return result
    print(f"{name}: trained and measured now", flush=True)
    result = measure()
    record.parent.mkdir(parents=True, exist_ok=True)
    write_json(record, {"made_from": made_from, "result": result})
    print(f"{name}: measured and saved", flush=True)
    return result


def trained_headlines(recipe: Recipe, target: Path, stage: str, split: str) -> Headlines:
    """Headlines of the fp32 network that `stage` trains in `target`.work, as it would be served."""
    run = Run(recipe, target)
    run_stages(run, stage)
    bundle = run.work / "measured"
    export_network(run, stage, bundle)
    tasks = headlines(run.table, bundle, split)
    shutil.rmtree(bundle)
    return tasks


def headlines(table: Table, bundle: Path, split: str) -> Headlines:
    """The headline of each task on `split`, through the classifier that serves."""
    return {task.name: task.headline for task in judge_bundle(table, bundle, split)}


def mean(values: Mapping[str, float | None]) -> float:
    """Over the tasks whose value is known; 0 without any."""
    known = [value for value in values.values() if value is not None]
    return round(fmean(known), 2) if known else 0.0


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def bold(cells: list[str], when: bool) -> list[str]:
    return [f"**{cell}**" for cell in cells] if when else cells


def write_results(run: Run, name: str, text: str, document: Any) -> str:
    """Write NAME.md and NAME.json to DIR.report; return the text for the terminal."""
    run.report.mkdir(parents=True, exist_ok=True)
    write_text(run.report / f"{name}.md", text + "\n")
    write_json(run.report / f"{name}.json", document)
    return f"{text}\n\ntables and JSON in {run.report}"
