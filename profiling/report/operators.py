"""Which operators of the graph take the time? onnxruntime's own profiler says.

    python -m profiling.report.operators BUNDLE TEXTS.json SECONDS FOLDER

In a process of its own, with the settings that the function serves with, one text per run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from profiling.report.bench import Bench
from profiling.server import ROOT

LISTED = 12
TEXTS = 500
MOST_RUNS = 2000


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    """The slowest kinds of operators and the slowest single ones, with their shares."""
    texts = bench.folder / "texts.json"
    texts.write_text(json.dumps([example.text for example in bench.examples[:TEXTS]]))
    command = [sys.executable, "-m", "profiling.report.operators", str(bench.bundle.path.resolve())]
    done = subprocess.run(
        [*command, str(texts), str(max(1.0, seconds - 2)), str(bench.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60 + seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"onnxruntime's profiler failed: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def profile(bundle: Path, texts: list[str], seconds: float, folder: Path) -> dict[str, Any]:
    """Run the graph over the texts, then add up the profiler's events, the first run's left out."""
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    manifest = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    control = [task["control_id"] for task in manifest["tasks"]]
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.enable_truncation(manifest["max_tokens"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "operators")
    session = onnxruntime.InferenceSession(
        bundle / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    until_s = time.perf_counter() + seconds
    runs = 0
    while runs < MOST_RUNS and (runs < 2 or time.perf_counter() < until_s):
        ids = np.array([tokenizer.encode(texts[runs % len(texts)]).ids + control], np.int64)
        session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        runs += 1
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return tally(events, runs)


def tally(events: list[dict[str, Any]], runs: int) -> dict[str, Any]:
    """Microseconds per run of each kind of operator and of each node, the slowest first."""
    nodes = [
        event
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]
    first_us = min((e["ts"] + e["dur"] for e in events if e["name"] == "model_run"), default=0)
    nodes = [node for node in nodes if node["ts"] >= first_us]
    kinds: dict[str, float] = {}
    single: dict[str, float] = {}
    for node in nodes:
        kind = node["args"]["op_name"]
        name = node["name"].removesuffix("_kernel_time")
        kinds[kind] = kinds.get(kind, 0.0) + node["dur"]
        single[f"{name} ({kind})"] = single.get(f"{name} ({kind})", 0.0) + node["dur"]
    return {
        "runs": runs - 1,
        "us_per_run": round(sum(kinds.values()) / max(runs - 1, 1), 1),
        "kinds": _ranked(kinds, runs - 1),
        "nodes": _ranked(single, runs - 1),
    }


def _ranked(durations_us: dict[str, float], runs: int) -> list[dict[str, Any]]:
    total = sum(durations_us.values()) or 1.0
    ranked = sorted(durations_us.items(), key=lambda item: -item[1])
    return [
        {"name": name, "us": round(us / max(runs, 1), 1), "share": round(us / total, 4)}
        for name, us in ranked[:LISTED]
    ]


if __name__ == "__main__":
    found = profile(
        Path(sys.argv[1]),
        json.loads(Path(sys.argv[2]).read_text()),
        float(sys.argv[3]),
        Path(sys.argv[4]),
    )
    print(json.dumps(found))
