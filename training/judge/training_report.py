"""What came out of the run? Metrics and times, as a table for people and JSON for programs."""

from __future__ import annotations

import json
import platform
from typing import Any

from model.bundle import read_bundle
from training.fit.speed import describe as describe_speed
from training.fit.speed import speeds
from training.judge.card import metrics_table
from training.judge.mistakes import describe
from training.run import Run


def write_report(run: Run, seconds: dict[str, Any]) -> str:
    """Write DIR.report/training.md and .json; return the text for the terminal."""
    bundle, work = read_bundle(run.target), run.work
    facts = json.loads((work / "quantize" / "facts.json").read_text())
    wrong = json.loads((work / "evaluate" / "mistakes.json").read_text())
    drops = facts["drops"]
    lines = [
        f"{bundle.identity} in {run.target}",
        "",
        metrics_table(run.table, bundle.metrics),
        "",
        "int8 against fp32 on validation, points lost (95 % interval): "
        + ", ".join(f"{task} {d['drop']} ({d['low']} to {d['high']})" for task, d in drops.items()),
        "expected calibration error, percent: " + _calibration(bundle.metrics["int8"]["tasks"]),
        "",
        *_quantization(facts),
        "",
        *_times(seconds),
        *describe_speed(work),
    ]
    text = "\n".join(lines)
    whole = "\n".join([text, *describe(wrong)])
    run.report.mkdir(exist_ok=True)
    (run.report / "training.md").write_text(whole + "\n", encoding="utf-8")
    found = {
        "bundle": bundle.identity,
        "metrics": bundle.metrics,
        "quantization": facts,
        "mistakes": wrong,
        "seconds": seconds,
        "speed": speeds(work),
    }
    (run.report / "training.json").write_text(json.dumps(found, indent=1))
    return text


def _calibration(tasks: dict[str, Any]) -> str:
    return ", ".join(f"{name} {found['ece']}" for name, found in tasks.items())


def _quantization(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"warning: {task}: {facts['drops'][task]['rows']} validation rows are too few to tell "
        "whether int8 keeps within max_drop"
        for task in facts["unsure"]
    ]
    ranked = ", ".join(f"{entry['layer']} {entry['error']}" for entry in facts["ranking"][:5])
    return [*lines, f"what int8 hurts most (mean change of a logit): {ranked}"]


def _times(seconds: dict[str, Any]) -> list[str]:
    stages = ", ".join(f"{name} {taken['wall']:.0f}" for name, taken in seconds.items())
    wall, cpu = (sum(taken[kind] for taken in seconds.values()) for kind in ("wall", "cpu"))
    machine = platform.processor() or platform.machine()
    return [
        f"seconds per stage: {stages}",
        f"in all {wall / 60:.1f} minutes, {cpu / 60:.1f} CPU-minutes on {machine}; "
        "of a resumed stage, the last part",
    ]
