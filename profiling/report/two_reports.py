"""What changed between two bundles? Two report.json files, figure by figure.

    python -m profiling compare A.json B.json

A difference in time is called real only when it is larger than chance: the raw samples of both
are drawn again in blocks of neighbours, since neighbours share their luck, and the 95 % interval
of B / A must not hold 1. Reports of different machines or settings are not compared in time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from profiling.bootstrap import ratio_interval, sample_of
from profiling.report.document import FORMAT
from profiling.report.figures import latencies

RUNS = {"single": "warm, one caller", "steady": "at the steady rate"}
SHARES = (50, 99)
BLOCKS = 20
SMALLEST = 0.05
"""Ratios nearer to 1 than this are noise from one run to the next, whatever the samples say."""
SAME_SETTINGS = ("batch", "users", "tasks", "data")
MACHINE_KEYS = ("cpu", "cores", "system", "python", "onnxruntime", "numpy", "locust")
Document = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Print the comparison; exit status 2 when it was asked wrongly."""
    if len(arguments) != 2 or any(argument.startswith("-") for argument in arguments):
        print("usage: python -m profiling compare A.json B.json", file=sys.stderr)
        return 2
    try:
        print(compare(*(read_document(Path(argument)) for argument in arguments)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def read_document(path: Path) -> Document:
    """Raises ValueError saying what the file is not."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; give a report.json") from None
    except ValueError:
        raise ValueError(f"{path}: not JSON; give a report.json") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or "samples" not in found:
        raise ValueError(f"{path}: not a report of format {FORMAT}; make it anew")
    return found


def compare(a: Document, b: Document) -> str:
    """The comparison as a table for the terminal."""
    rows: list[tuple[str, ...]] = [
        ("", "A", "B", "B / A"),
        ("bundle", a["bundle"]["identity"], b["bundle"]["identity"], ""),
    ]
    rows += [_fact(a, b, "bundle_mb", "bundle, MB")]
    tasks = [task for task in _tasks(a) if task in _tasks(b)]
    rows += [
        (f"{task}, %", *(_shown(_tasks(which)[task]["served"]) for which in (a, b)), "")
        for task in tasks
    ]
    notes = []
    differences = _differences(a, b)
    if differences:
        notes.append("times are not compared: " + "; ".join(differences))
    else:
        rows += [_fact(a, b, key, title) for key, title in TIMES.items()]
        rows += [_latency(a, b, run, share) for run in RUNS for share in SHARES]
        notes.append("held rate, cold start and memory are single figures: no interval is known")
    if a["problems"] or b["problems"]:
        notes.append("a server failed in one of them; see its `problems`")
    return "\n".join([*_aligned(rows), "", *notes])


TIMES = {
    "first_answer_ms": "cold, first answer, ms",
    "held_rate": "rate held, /s",
    "cpu_ms_per_request": "processor time a request, ms",
    "memory_mb": "memory, highest, MB",
}


def verdict(ratio: float, low: float, high: float) -> str:
    if low <= 1 <= high or abs(ratio - 1) < SMALLEST:
        return "noise"
    return "slower" if ratio > 1 else "faster"


def _latency(a: Document, b: Document, run: str, share: int) -> tuple[str, ...]:
    title = f"{RUNS[run]}, p{share}, ms"
    values = [latencies(document, run) for document in (a, b)]
    if any(len(found) < 10 * BLOCKS for found in values):
        return (title, *("-" if not len(v) else _shown(np.percentile(v, share)) for v in values),
                "too few samples")  # fmt: skip
    rates = [document["stages"].get(run, {}).get("rate") for document in (a, b)]
    samples = [sample_of(np.array_split(found, BLOCKS)) for found in values]
    ratio, low, high = ratio_interval(samples[0], samples[1], share / 100)
    said = f"{ratio:.2f} ({low:.2f} to {high:.2f}): {verdict(ratio, low, high)}"
    if rates[0] != rates[1]:
        said = f"at {rates[0]:g} and {rates[1]:g} /s: give both the same --rate"
    return (title, *(_shown(np.percentile(found, share)) for found in values), said)


def _fact(a: Document, b: Document, key: str, title: str) -> tuple[str, ...]:
    before, after = a["facts"].get(key), b["facts"].get(key)
    ratio = f"{after / before:.2f}" if before and after else ""
    return title, _shown(before), _shown(after), ratio


def _tasks(document: Document) -> dict[str, Any]:
    tasks: dict[str, Any] = document["stages"].get("accuracy", {}).get("tasks", {})
    return tasks


def _differences(a: Document, b: Document) -> list[str]:
    pairs = [("machine", key) for key in MACHINE_KEYS] + [("settings", k) for k in SAME_SETTINGS]
    return [
        f"{key} is {a[where].get(key)} in A, {b[where].get(key)} in B"
        for where, key in pairs
        if a[where].get(key) != b[where].get(key)
    ]


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    ]
