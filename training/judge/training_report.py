"""What came out of the run? Metrics and times for people and programs, and its load report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.aside import file_aside, read_json, write_json, write_text
from model.bundle import read_bundle
from profiling import machine
from tables.held_out import RECORD, HeldOut, record_text
from training.fit.speed import speed_lines, speeds
from training.judge.behind import behind_lines
from training.judge.drops import int8_warnings
from training.judge.evaluate import MISTAKES
from training.judge.mistakes import mistake_tables
from training.judge.offset_prices import RAISED, offset_warnings, price_paragraphs
from training.judge.refit_facts import REFIT, refit_lines, shortfalls
from training.judge.ship_bundle import CONTENDERS, FIGURES, metrics_table, unclear_headlines
from training.rows.truncation import truncation, truncation_line
from training.run import Run

ROOT = Path(__file__).resolve().parents[2]
REPLAY = "replay.jsonl"
LONGEST_S = 600


def write_report(
    run: Run,
    seconds: dict[str, Any],
    warnings: Sequence[str] = (),
    advice: Sequence[str] = (),
) -> str:
    """Write DIR.report/training.md and .json; return the text for the terminal.

    `warnings` are those of the table; what the run itself has to warn of is added. `advice`: what
    to do next.
    """
    run.report.mkdir(exist_ok=True)
    bundle = read_bundle(run.target)
    facts = run.facts("quantize")
    part_read = run.recipe.data.long_texts
    truncated = truncation(run.tokenizer, run.table, run.max_tokens, part_read)
    mistakes = read_json(run.work / "evaluate" / MISTAKES)
    tasks = bundle.own_metrics["tasks"]
    warnings = [
        *warnings,
        *int8_warnings(facts, run.recipe.quantize.max_drop, "passes", "undecided"),
        *offset_warnings(bundle.metrics.get(RAISED, [])),
        *unclear_headlines(run.table.tasks, tasks),
    ]
    if REFIT in bundle.metrics:
        warnings += shortfalls(bundle.metrics[REFIT])
    worse = list(behind_lines(bundle.metrics, CONTENDERS))
    lines = [
        *(f"warning: {line}" for line in worse),
        f"{bundle.identity} in {run.target}",
        "",
        metrics_table(run.table, bundle.metrics),
        "",
        FIGURES,
        *(refit_lines(bundle.metrics[REFIT]) if REFIT in bundle.metrics else ()),
        *price_paragraphs(bundle.metrics.get(RAISED, [])),
        "int8 against fp32 on validation, points lost (95 % interval): "
        + ", ".join(
            f"{task} {drop['drop']} ({drop['low']} to {drop['high']})"
            for task, drop in facts["drops"].items()
        ),
        "expected calibration error, percent: "
        + ", ".join(f"{name} {_calibration_error(task)}" for name, task in tasks.items()),
        truncation_line(truncated),
        "",
        *(f"warning: {line}" for line in warnings),
        _hurt_most(facts),
        *advice,
        "",
        *_times(seconds),
        *speed_lines(run.work),
    ]
    text = "\n".join(lines)
    write_text(run.report / "training.md", f"{text}\n\n{mistake_tables(mistakes)}\n")
    document = {
        "bundle": bundle.identity,
        "metrics": bundle.metrics,
        "quantization": facts,
        "warnings": [*worse, *warnings],
        "truncated": truncated,
        "mistakes": mistakes,
        "seconds": seconds,
        "speed": speeds(run.work),
    }
    write_json(run.report / "training.json", document)
    _write_record(run, bundle.identity)
    write_replay(run)
    return text


def _calibration_error(metrics: dict[str, Any]) -> str:
    if metrics["ece"] is None:
        return f"not told: {metrics['rows']} rows are too few"
    return f"{metrics['ece']} ({metrics['rows']} rows)"


def _write_record(run: Run, identity: str) -> None:
    """The answers of the stage `evaluate`, as those of the bundle that ships."""
    answers = read_json(run.work / "evaluate" / RECORD)
    assert answers is not None, "the stage evaluate writes it last"
    write_text(run.report / RECORD, record_text(HeldOut(identity, answers["tasks"])))


def _hurt_most(facts: dict[str, Any]) -> str:
    ranked = ", ".join(f"{entry['layer']} {entry['error']}" for entry in facts["ranking"][:5])
    return f"what int8 hurts most (mean change of a logit): {ranked}"


def _times(seconds: dict[str, Any]) -> list[str]:
    stages = ", ".join(f"{name} {times['wall']:.0f}" for name, times in seconds.items())
    wall, cpu = (sum(times[kind] for times in seconds.values()) for kind in ("wall", "cpu"))
    processor = machine.processor()
    return [
        f"seconds per stage: {stages}",
        f"in all {wall / 60:.1f} minutes, {cpu / 60:.1f} CPU-minutes on {processor}; "
        "of a resumed stage, the last part",
    ]


def report_performance(run: Run, *options: str) -> bool:
    """Load the bundle with its own test rows, into DIR.report/; whether that worked.

    A failure is a warning only: the bundle is complete before.
    """
    target, texts = run.target, run.work / REPLAY  # which write_report leaves there
    command = [sys.executable, "-m", "profiling", "report", str(target), "--data", str(texts)]
    command += ["--out", str(run.report), *options]
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=LONGEST_S, check=False)
        problem = f"exit status {done.returncode}" if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        print(
            f"warning: no performance report ({problem}), but the bundle is whole; "
            f"python -m profiling report {target} makes one",
            file=sys.stderr,
        )
    return problem is None


def write_replay(run: Run) -> None:
    """Leave the test rows for reports on the bundle under load, whenever they are made.

    A table whose columns are the tasks' names; null: not labelled.
    """
    with file_aside(run.work / REPLAY) as aside, aside.open("w", encoding="utf-8") as file:
        for row in run.table.split("test"):
            file.write(json.dumps({**run.table.json_labels(row), "text": row.text}) + "\n")
