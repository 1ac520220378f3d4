"""What did each step from three BERTs to one int8 student gain, on this machine?

    python -m profiling stages --rounds 5 --out profiling/results

Two tables. The first follows the earlier work's own: three BERT-base classifiers as transformers
pipelines, one multi-task BERT-base on torch, the int8 bundle on Python and on Node. The second
is the ladder of its categorizer at batch 1: latency and size on disk. Weights are random but for
the bundle's: speed does not depend on them. Every measurement is a process of its own, one
thread each, and steps take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profiling import machine, process_tree
from profiling.bench.contenders import (
    LAST_NETWORK,
    NETWORKS,
    NETWORKS_PROGRAM,
    PEERS,
    PIPELINES,
    SERVE,
    missing,
)
from profiling.bench.node_peers import NODE, NODE_MODULES
from profiling.bench.result import parser, summarize_figures, write
from profiling.percentiles import percentile
from profiling.server import ROOT
from tables.text import markdown

STEP = str(PEERS / "lineage" / "step.py")
TOKENS = 64
THEIRS = {"memory_mb": 32.0, "start_ms": 15.0, "run_ms": 15.0}
"""Total gains that the earlier work reports, first step over last."""
THEIR_ONNX_GAIN = 1.4
THEIR_LATENCY_GAIN = 13.3
THEIR_SIZE_GAIN = 16.6
Summaries = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """One row: what is started, and the file whose size counts."""

    title: str
    command: tuple[str, ...]
    file: Path | None = None

    @property
    def size_mb(self) -> float:
        """Size of its file in MB."""
        assert self.file is not None
        return self.file.stat().st_size / 1e6


def steps(bundle: Path, text: str, runs: int) -> dict[str, Step]:
    """The first table, in the order in which the work went."""
    last = (text, str(runs))
    multitask = ("-m", NETWORKS_PROGRAM, "answer", "text", str(NETWORKS / "bert"))
    return {
        "pipelines": Step(
            "three BERT-base pipelines", (sys.executable, STEP, "pipelines", str(PIPELINES), *last)
        ),
        "multitask": Step("one multi-task BERT-base, torch", (sys.executable, *multitask, *last)),
        "python": Step("our int8 bundle, Python", (str(SERVE), STEP, "bundle", str(bundle), *last)),
        "node": Step(
            "our int8 bundle, Node",
            ("env", f"BUNDLE={bundle}", "node", str(NODE / "step.js"), *last),
        ),
    }


def ladder(runs: int) -> dict[str, Step]:
    """The second table: one network after another, ids in and logits out."""
    last = (str(TOKENS), str(runs))

    def on_torch(title: str, name: str) -> Step:
        folder = NETWORKS / name
        command = (sys.executable, "-m", NETWORKS_PROGRAM, "answer", "ids", str(folder), *last)
        return Step(title, command, folder / "model.safetensors")

    def on_onnx(title: str, name: str, graph: str) -> Step:
        file = NETWORKS / name / graph
        return Step(title, (str(SERVE), STEP, "onnx", str(file), *last), file)

    return {
        "bert_torch": on_torch("teacher of 12 layers of 768, torch", "bert"),
        "bert_onnx": on_onnx("the same, ONNX fp32", "bert", "fp32.onnx"),
        "teacher_torch": on_torch("our teacher, 6 layers of 384, torch", "teacher"),
        "teacher_onnx": on_onnx("the same, ONNX fp32", "teacher", "fp32.onnx"),
        "student_fp32": on_onnx("student of 3 layers of 384, fp32", "student", "fp32.onnx"),
        "student_int8": on_onnx("student, int8", "student", "int8.onnx"),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure and print both tables; 1 when something must be made first."""
    command = parser("stages", __doc__)
    add = command.add_argument
    add(
        "--text", default="boneless chicken breast with raw honey and butter",
        help="the text that is answered (default: one of 11 tokens)",
    )  # fmt: skip
    add("--rounds", type=int, default=5, metavar="N", help="processes of each (default: 5)")
    add("--runs", type=int, default=50, metavar="N", help="answers timed in each (default: 50)")
    options = command.parse_args(arguments)
    if problems := missing((PIPELINES, LAST_NETWORK, NODE_MODULES, SERVE)):
        print("\n".join(problems), file=sys.stderr)
        return 1
    first = steps(options.bundle.resolve(), options.text, options.runs)
    second = ladder(options.runs)
    report: dict[str, Any] = {
        "machine": machine.describe(SERVE),
        "tokens": TOKENS,
        "stages": _rounds(first, options.rounds),
        "ladder": _rounds(second, options.rounds),
        "sizes_mb": {name: step.size_mb for name, step in second.items()},
    }
    tables = (steps_table(first, report["stages"]), ladder_table(second, report["ladder"]))
    print(text := "\n\n".join([*tables, machine.sentence(report["machine"])]))
    write("stages", report, text, options.out)
    return 0


def measure(step: Step) -> dict[str, float]:
    """One process: milliseconds to its first answer, its memory then, and of a further answer."""
    start_s = time.perf_counter()
    process = subprocess.Popen(
        step.command,
        cwd=ROOT,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        answered = process.stdout.readline()
        start_ms = (time.perf_counter() - start_s) * 1000
        times = process.stdout.readline() if answered else b""
        memory_mb = process_tree.pss_mb(process.pid) if times else 0.0
    finally:
        process_tree.end(process.pid)
        _, errors = process.communicate()
    if not times:
        raise SystemExit(f"{' '.join(step.command)} failed:\n{errors.decode()[-2000:]}")
    run_ms = percentile(json.loads(times)["run_ms"], 50)
    return {"memory_mb": memory_mb, "start_ms": start_ms, "run_ms": run_ms}


def _rounds(table: dict[str, Step], rounds: int) -> Summaries:
    """Every step once a round; the first round warms the page cache and is thrown away."""
    rows_by_step: dict[str, list[dict[str, float]]] = {name: [] for name in table}
    for turn in range(rounds + 1):
        for name, step in table.items():
            row = measure(step)
            print(f"{turn}/{rounds} {name}: {row['run_ms']:.2f} ms", file=sys.stderr)
            if turn:
                rows_by_step[name].append(row)
    return {name: summarize_figures(rows) for name, rows in rows_by_step.items()}


def steps_table(table: dict[str, Step], summaries: Summaries) -> str:
    rows: list[tuple[str, ...]] = []
    for name, step in table.items():
        memory, start, run = (summaries[name][key]["median"] for key in THEIRS)
        count = str(summaries[name]["run_ms"]["n"])
        rows.append((step.title, count, f"{memory:.0f}", f"{start:.0f}", f"{run:.2f}"))
    gains = [
        summaries["pipelines"][key]["median"] / summaries["python"][key]["median"] for key in THEIRS
    ]
    rows.append(("**total gain, Python**", "", *(f"**{gain:.0f}x**" for gain in gains)))
    rows.append(("of the earlier work", "", *(f"{gain:.0f}x" for gain in THEIRS.values())))
    return markdown(("stage", "n", "memory, MiB", "start, ms", "inference, ms"), rows)


def ladder_table(table: dict[str, Step], summaries: Summaries) -> str:
    latency = {name: summary["run_ms"]["median"] for name, summary in summaries.items()}
    slowest, largest = latency["bert_torch"], table["bert_torch"].size_mb
    rows = [
        (
            step.title,
            str(summaries[name]["run_ms"]["n"]),
            f"{latency[name]:.2f}",
            f"{slowest / latency[name]:.1f}x",
            f"{step.size_mb:.1f}",
            f"{largest / step.size_mb:.1f}x",
        )
        for name, step in table.items()
    ]
    title = f"network, batch 1, {TOKENS} tokens"
    header = (title, "n", "latency, ms", "faster", "size, MB", "smaller")
    return markdown(header, rows) + (
        f"\n\nThe earlier work: {THEIR_LATENCY_GAIN}x faster and {THEIR_SIZE_GAIN}x smaller in "
        f"all, of which ONNX gave its teacher {THEIR_ONNX_GAIN}x (here "
        f"{slowest / latency['bert_onnx']:.1f}x). Over our own teacher on torch the int8 student "
        f"is {latency['teacher_torch'] / latency['student_int8']:.1f}x faster."
    )
