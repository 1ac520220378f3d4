"""What does the report say, to programs? One JSON document; the page is drawn from it alone."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model.bundle import Bundle
from profiling.report.bench import Bench
from profiling.report.budgets import Budgets, verdicts
from profiling.report.cost import cost, read_prices

FORMAT = 1
PACKAGES = ("onnxruntime", "tokenizers", "numpy", "functions-framework")


def document(bench: Bench, budgets: Budgets, data: Path, when: str) -> dict[str, Any]:
    """Everything, the raw samples included."""
    stages = bench.results
    facts = collect_facts(stages, bench.bundle)
    options = bench.options
    return {
        "format": FORMAT,
        "when": when,
        "bundle": {
            "identity": bench.bundle.identity,
            "name": bench.bundle.name,
            "bytes": bundle_bytes(bench.bundle),
            "tasks": [task.name for task in bench.bundle.tasks],
        },
        "machine": machine(bench.versions),
        "settings": {
            "data": data.name,
            "texts": len(bench.examples),
            "rate": options.rate,
            "users": options.users,
            "batch": options.batch,
            "tasks": options.tasks,
            "duration_s": options.duration_s,
            "p99_target_ms": budgets.p99_ms,
        },
        "problems": [stage["error"] for stage in stages.values() if "error" in stage],
        "facts": facts,
        "verdicts": verdicts(facts, budgets),
        "cost": cost(facts, read_prices()),
        "stages": stages,
        "samples": bench.samples,
    }


def collect_facts(stages: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    """The figures that budgets and prices are held against; None: not measured."""
    memory = [stage.get("server_memory_mb") for stage in stages.values()]
    accuracy = stages.get("accuracy", {})
    tasks = accuracy["tasks"].values() if accuracy.get("whole") else ()  # a part may be luckier
    lost = [
        task["claimed"] - task["served"]
        for task in tasks
        if task["claimed"] is not None and task["served"] is not None
    ]
    errors = [stages.get(name, {}).get("errors") for name in ("accuracy", "single", "steady")]
    return {
        "first_answer_ms": stages.get("starts", {}).get("first_answer_ms"),
        "warm_p50_ms": stages.get("single", {}).get("p50_ms"),
        "steady_p99_ms": stages.get("steady", {}).get("p99_ms"),
        "held_rate": stages.get("steps", {}).get("held"),
        "errors": None if None in errors else sum(errors),
        "memory_mb": max((value for value in memory if value is not None), default=None),
        "bundle_mb": round(bundle_bytes(bundle) / 1e6, 2),
        "accuracy_lost": round(max(lost), 2) if lost else None,
        "cpu_ms_per_request": stages.get("steady", {}).get("cpu_ms_per_request"),
    }


def bundle_bytes(bundle: Bundle) -> int:
    return sum(file.stat().st_size for file in bundle.path.iterdir() if file.is_file())


def machine(versions: dict[str, str]) -> dict[str, Any]:
    """What the figures depend on besides the bundle."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        **versions,
    }  # fmt: skip


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
