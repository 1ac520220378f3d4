"""What did each step from three BERTs to one int8 student gain, on this machine?

    python -m profiling stages --rounds 5 --out profiling/results

Two tables. The first follows the earlier work's own: three BERT-base classifiers as transformers
pipelines, one multi-task BERT-base on torch, the int8 bundle on Python and on Node. The second
is the ladder of its categorizer at batch 1: latency and size on disk. Weights are random but for
the bundle's: speed does not depend on them. Every measurement is a process of its own, one
thread each, and stages take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profiling import machine, process_tree
from profiling.bench.contenders import NODE, PEERS, ROOT, SERVE
from profiling.percentiles import percentile, summarize

FORMAT = 1
MODELS = PEERS / "lineage" / "models"
PIPELINES = PEERS / "pipelines" / "models"
STAGE = str(PEERS / "lineage" / "stage.py")
NETWORKS = "training.studies.lineage_networks"
"""The program that makes the networks and runs them on torch."""
TOKENS = 64
THEIRS = {"memory_mb": 32.0, "start_ms": 15.0, "run_ms": 15.0}
"""Total gains that the earlier work reports, first stage over last."""
THEIR_ONNX_GAIN = 1.4
THEIR_LATENCY_GAIN = 13.3
THEIR_SIZE_GAIN = 16.6


@dataclass(frozen=True)
class Stage:
    """One row: what is started, and which files it opens."""

    title: str
    command: tuple[str, ...]
    files: tuple[Path, ...] = ()
    folder: Path = ROOT

    @property
    def size_mb(self) -> float:
        """Size on disk of the files that it opens, in MB."""
        return sum(file.stat().st_size for file in self.files) / 1e6


def stages(bundle: Path, text: str, runs: int) -> dict[str, Stage]:
    """The first table, in the order in which the work went."""
    last = (text, str(runs))
    return {
        "pipelines": Stage(
            "three BERT-base pipelines",
            (sys.executable, STAGE, "pipelines", str(PIPELINES), *last),
        ),
        "multitask": Stage(
            "one multi-task BERT-base, torch",
            (sys.executable, "-m", NETWORKS, "answer", "text", str(MODELS / "bert"), *last),
        ),
        "python": Stage(
            "our int8 bundle, Python", (str(SERVE), STAGE, "bundle", str(bundle), *last)
        ),
        "node": Stage("our int8 bundle, Node", ("node", "stage.js", *last), folder=NODE),
    }


def ladder(runs: int) -> dict[str, Stage]:
    """The second table: one network after another, ids in and logits out."""
    last = (str(TOKENS), str(runs))

    def on_torch(title: str, name: str) -> Stage:
        folder = MODELS / name
        command = (sys.executable, "-m", NETWORKS, "answer", "ids", str(folder), *last)
        return Stage(title, command, (folder / "model.safetensors",))

    def on_onnx(title: str, name: str, graph: str) -> Stage:
        file = MODELS / name / graph
        return Stage(title, (str(SERVE), STAGE, "onnx", str(file), *last), (file,))

    return {
        "bert_torch": on_torch("teacher of 12 layers of 768, torch", "bert"),
        "bert_onnx": on_onnx("the same, ONNX fp32", "bert", "fp32.onnx"),
        "teacher_torch": on_torch("our teacher, 6 layers of 384, torch", "teacher"),
        "teacher_onnx": on_onnx("the same, ONNX fp32", "teacher", "fp32.onnx"),
        "student_fp32": on_onnx("student of 3 layers of 384, fp32", "student", "fp32.onnx"),
        "student_int8": on_onnx("student, int8", "student", "int8.onnx"),
    }


def main(arguments: list[str]) -> int:
    """Measure and print both tables; 1 when something must be made first."""
    options = _parser().parse_args(arguments)
    needs = {
        PIPELINES: "python profiling/bench/peers/pipelines/make.py",
        MODELS / "student" / "int8.onnx": f"python -m {NETWORKS} make model/ingredients {MODELS}",
        NODE / "node_modules": f"npm ci --ignore-scripts --prefix {NODE}",
        SERVE: "make serve",
    }
    missing = {path: remedy for path, remedy in needs.items() if not path.exists()}
    for path, remedy in missing.items():
        print(f"{path} is not there; run: {remedy}", file=sys.stderr)
    if missing:
        return 1
    environment = {"BUNDLE": str(options.bundle.resolve())}
    first = stages(options.bundle.resolve(), options.text, options.runs)
    second = ladder(options.runs)
    report: dict[str, Any] = {
        "format": FORMAT,
        "machine": machine.describe(),
        "tokens": TOKENS,
        "stages": _rounds(first, options.rounds, environment),
        "ladder": _rounds(second, options.rounds, environment),
        "sizes_mb": {name: stage.size_mb for name, stage in second.items()},
    }
    text = "\n\n".join(
        [
            _stages_table(first, report["stages"]),
            _ladder_table(second, report["ladder"]),
            machine.sentence(report["machine"]),
        ]
    )
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "stages.json").write_text(json.dumps(report, indent=1) + "\n")
        (options.out / "stages.md").write_text(text + "\n")
    return 0


def measure(stage: Stage, environment: dict[str, str]) -> dict[str, float]:
    """One process: milliseconds to its first answer, its memory then, and of a further answer."""
    began_s = time.perf_counter()
    process = subprocess.Popen(
        stage.command,
        cwd=stage.folder,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        start_ms = (time.perf_counter() - began_s) * 1000
        second = process.stdout.readline() if first else b""
        memory_mb = process_tree.pss_mb(process.pid) if second else 0.0
    finally:
        process_tree.end(process.pid)
        _, errors = process.communicate()
    if not second:
        raise SystemExit(f"{' '.join(stage.command)} failed:\n{errors.decode()[-2000:]}")
    run_ms = percentile(json.loads(second)["run_ms"], 50)
    return {"memory_mb": memory_mb, "start_ms": start_ms, "run_ms": run_ms}


def _rounds(
    table: dict[str, Stage], rounds: int, environment: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """Every stage once a round; the first round warms the page cache and is thrown away."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in table}
    for turn in range(rounds + 1):
        for name, stage in table.items():
            row = measure(stage, environment)
            print(f"{turn}/{rounds} {name}: {row['run_ms']:.2f} ms", file=sys.stderr)
            if turn:
                rows[name].append(row)
    return {
        name: {key: summarize([row[key] for row in found]) for key in found[0]}
        for name, found in rows.items()
    }


def _stages_table(table: dict[str, Stage], found: dict[str, dict[str, Any]]) -> str:
    lines = ["| stage | n | memory, MiB | start, ms | inference, ms |", "|---|---|---|---|---|"]
    for name, stage in table.items():
        row = found[name]
        lines.append(
            f"| {stage.title} | {row['run_ms']['n']} | {row['memory_mb']['median']:.0f} "
            f"| {row['start_ms']['median']:.0f} | {row['run_ms']['median']:.2f} |"
        )
    gains = [found["pipelines"][key]["median"] / found["python"][key]["median"] for key in THEIRS]
    lines.append(
        "| **total gain, Python** | | " + " | ".join(f"**{gain:.0f}x**" for gain in gains) + " |"
    )
    lines.append(
        "| of the earlier work | | " + " | ".join(f"{gain:.0f}x" for gain in THEIRS.values()) + " |"
    )
    return "\n".join(lines)


def _ladder_table(table: dict[str, Stage], found: dict[str, dict[str, Any]]) -> str:
    lines = [
        f"| network, batch 1, {TOKENS} tokens | n | latency, ms | faster | size, MB | smaller |",
        "|---|---|---|---|---|---|",
    ]
    slowest = found["bert_torch"]["run_ms"]["median"]
    largest = table["bert_torch"].size_mb
    for name, stage in table.items():
        latency = found[name]["run_ms"]
        lines.append(
            f"| {stage.title} | {latency['n']} | {latency['median']:.2f} "
            f"| {slowest / latency['median']:.1f}x | {stage.size_mb:.1f} "
            f"| {largest / stage.size_mb:.1f}x |"
        )
    onnx = slowest / found["bert_onnx"]["run_ms"]["median"]
    own = found["teacher_torch"]["run_ms"]["median"] / found["student_int8"]["run_ms"]["median"]
    lines += [
        "",
        f"The earlier work: {THEIR_LATENCY_GAIN}x faster and {THEIR_SIZE_GAIN}x smaller in all, "
        f"of which ONNX gave its teacher {THEIR_ONNX_GAIN}x (here {onnx:.1f}x). "
        f"Over our own teacher on torch the int8 student is {own:.1f}x faster.",
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m profiling stages", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--bundle", type=Path, default=ROOT / "model" / "ingredients")
    parser.add_argument("--text", default="boneless chicken breast with raw honey and butter")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each (default: 5)")
    parser.add_argument("--runs", type=int, default=50, help="answers timed in each (default: 50)")
    parser.add_argument("--out", type=Path, help="directory for stages.json and stages.md")
    return parser
