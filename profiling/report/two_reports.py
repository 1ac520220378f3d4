"""What changed between two bundles? Two report.json files, figure by figure.

    python -m profiling compare A.json B.json

A difference in time is called real only when it is larger than chance: the raw samples of both
are drawn again in blocks of neighbours, since neighbours share their luck, and the 95 % interval
of B / A must not hold 1. Reports of different machines, settings or texts are not compared in
time; tasks whose labelled texts differ are named.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from profiling.bootstrap import ratio_interval, sample_of
from profiling.percentiles import percentile
from profiling.report.document import FORMAT, Document, latencies
from tables.text import aligned

RUNS = {"single": "warm, one caller", "steady": "at the steady rate"}
TIMES = {
    "first_answer_ms": "cold, first answer, ms",
    "held_rate": "rate held, /s",
    "cpu_ms_per_request": "processor time a request, ms",
    "memory_mb": "memory, highest, MB",
}
PERCENTS = (50, 99)
BLOCKS = 20
MIN_CHANGE = 0.05
"""Ratios nearer to 1 than this are noise from one run to the next, whatever the samples say."""
SAME = {
    "machine": ("cpu", "cores", "system", "python", "onnxruntime", "numpy", "locust"),
    "settings": ("batch", "users", "tasks", "data", "texts", "texts_digest", "p99_target_ms"),
}
"""What must be the same in both for their times to be compared, by part of report.json.

A key that one of them lacks, being older, is taken to be the same.
"""
JUDGED = ("rows", "labelled_digest")
"""What must be the same of a task for its accuracies to be of the same labelled texts."""


def main(arguments: Sequence[str]) -> int:
    """Print the comparison; exit status 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        "python -m profiling compare",
        description="What changed between two reports, and which differences are noise.",
    )
    parser.add_argument("reports", type=Path, nargs=2, metavar="REPORT.json")
    try:
        print(compare(*map(read_document, parser.parse_args(arguments).reports)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def read_document(path: Path) -> Document:
    """Raises ValueError saying what the file is not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; give a report.json") from None
    except ValueError:
        raise ValueError(f"{path}: not JSON; give a report.json") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or "samples" not in content:
        raise ValueError(f"{path}: not a report of format {FORMAT}; make it anew")
    return content


def compare(a: Document, b: Document) -> str:
    """The comparison as a table for the terminal."""
    rows = [("", "A", "B", "B / A"), _fact(a, b, "bundle_mb", "bundle, MB")]
    tasks_a, tasks_b = _tasks(a), _tasks(b)
    common = [task for task in tasks_a if task in tasks_b]
    for task in common:
        before, after = (_figure(tasks[task]["served"]) for tasks in (tasks_a, tasks_b))
        rows.append((f"{task}, %", before, after, ""))
    notes = []
    if others := [task for task in common if _differing(tasks_a[task], tasks_b[task], JUDGED)]:
        notes.append(f"judged by other texts or labels in A than in B: {', '.join(others)}")
    if differences := _differences(a, b):
        notes.append("times are not compared: " + "; ".join(differences))
    else:
        rows += [_fact(a, b, key, title) for key, title in TIMES.items()]
        rows += [_latency(a, b, run, percent) for run in RUNS for percent in PERCENTS]
        notes.append("held rate, cold start and memory are single figures: no interval is known")
    if a["problems"] or b["problems"]:
        notes.append("a server failed in one of them; see its `problems`")
    names = [f"{letter}: {d['bundle']['identity']}" for letter, d in (("A", a), ("B", b))]
    return "\n".join([*names, "", *aligned(rows), "", *notes])


def verdict(ratio: float, low: float, high: float) -> str:
    """`slower` or `faster` for a ratio B / A and its interval, `noise` when it may be chance."""
    if low <= 1 <= high or abs(ratio - 1) < MIN_CHANGE:
        return "noise"
    return "slower" if ratio > 1 else "faster"


def _latency(a: Document, b: Document, run: str, percent: int) -> tuple[str, str, str, str]:
    values = [latencies(document, run) for document in (a, b)]
    rates = [document["stages"].get(run, {}).get("rate") for document in (a, b)]
    if any(len(side) < 10 * BLOCKS for side in values):
        conclusion = "too few samples"
    elif rates[0] != rates[1]:
        conclusion = f"at {rates[0]:g} and {rates[1]:g} /s: give both the same --rate"
    else:
        samples = [sample_of(np.array_split(side, BLOCKS)) for side in values]
        ratio, low, high = ratio_interval(samples[0], samples[1], percent / 100)
        conclusion = f"{ratio:.2f} ({low:.2f} to {high:.2f}): {verdict(ratio, low, high)}"
    before, after = (_figure(percentile(s, percent) if len(s) else None) for s in values)
    return f"{RUNS[run]}, p{percent}, ms", before, after, conclusion


def _fact(a: Document, b: Document, key: str, title: str) -> tuple[str, str, str, str]:
    before, after = a["facts"].get(key), b["facts"].get(key)
    ratio = f"{after / before:.2f}" if before and after else ""
    return title, _figure(before), _figure(after), ratio


def _tasks(document: Document) -> dict[str, dict[str, Any]]:
    """The accuracy of each task as served, in percent, and of what texts."""
    tasks: dict[str, dict[str, Any]] = document["stages"].get("accuracy", {}).get("tasks", {})
    return tasks


def _differences(a: Document, b: Document) -> list[str]:
    return [
        f"{key} is {a[part][key]} in A, {b[part][key]} in B"
        for part, keys in SAME.items()
        for key in _differing(a[part], b[part], keys)
    ]


def _differing(a: dict[str, Any], b: dict[str, Any], keys: Sequence[str]) -> list[str]:
    """Those of `keys` that both have, with different values."""
    return [key for key in keys if key in a and key in b and a[key] != b[key]]


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}"
