"""Which operators of the graph take the time? onnxruntime's own profiler says.

The graph runs in this process, with the function's own options, one text per run.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from model.bundle import MODEL
from model.classifier import Classifier
from model.encoding import graph_inputs
from profiling.report.harness import Harness

SLOWEST = 12
TEXTS = 500
MAX_RUNS = 2000
SETUP_S = 2.0
"""What loading the graph and reading the profile take out of the time."""


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """The slowest kinds of operators and the slowest single nodes, with their shares."""
    from onnxruntime import InferenceSession

    from model.onnxruntime_binding import session_options
    from model.session import GraphOptions

    bundle = harness.bundle
    texts = [example.text for example in harness.examples[:TEXTS]]
    rows = Classifier(bundle).encode(texts).ids
    control_ids = [task.control_id for task in bundle.tasks]
    options = session_options(GraphOptions())
    options.enable_profiling = True
    options.profile_file_prefix = str(harness.folder / "operators")
    session = InferenceSession(bundle.path / MODEL, options)
    until_s = time.perf_counter() + max(1.0, seconds - SETUP_S)
    runs = 0
    while runs < 2 or (runs < MAX_RUNS and time.perf_counter() < until_s):
        session.run(None, graph_inputs([rows[runs % len(rows)]], control_ids).numpy())
        runs += 1
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return add_up(events, runs)


def add_up(events: list[dict[str, Any]], runs: int) -> dict[str, Any]:
    """Microseconds per run of each kind of operator and of each node, the slowest first.

    `events` are those of onnxruntime's profile of two `runs` or more. The first run, which
    allocates, is left out.
    """
    first_run_us = min((e["ts"] + e["dur"] for e in events if e["name"] == "model_run"), default=0)
    kinds: Counter[str] = Counter()
    nodes: Counter[str] = Counter()
    for event in events:
        name = event["name"].removesuffix("_kernel_time")
        if event.get("cat") == "Node" and name != event["name"] and event["ts"] >= first_run_us:
            kind = event["args"]["op_name"]
            kinds[kind] += event["dur"]
            nodes[f"{name} ({kind})"] += event["dur"]
    return {
        "runs": runs - 1,
        "us_per_run": round(kinds.total() / (runs - 1), 1),
        "kinds": _slowest(kinds, runs - 1),
        "nodes": _slowest(nodes, runs - 1),
    }


def _slowest(durations_us: Counter[str], runs: int) -> list[dict[str, Any]]:
    return [
        {"name": name, "us": round(us / runs, 1), "share": round(us / durations_us.total(), 4)}
        for name, us in durations_us.most_common(SLOWEST)
    ]
