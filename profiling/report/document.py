"""What does the report say, to programs? One JSON document; the page is drawn from it alone."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.cpus import usable_cpus
from profiling import machine
from profiling.report.budgets import Budgets, verdicts
from profiling.report.cost import PRICES, Prices, cost
from profiling.report.harness import Harness
from profiling.report.texts import digest
from tables.toml_file import read_toml

Document = dict[str, Any]
FORMAT = 1
PACKAGES = ("onnxruntime", "tokenizers", "numpy", "functions-framework")


def document(harness: Harness, budgets: Budgets, data: Path, when: str) -> Document:
    """Everything, the raw samples included."""
    bundle, options, results = harness.bundle, harness.options, harness.results
    facts = collect_facts(results, bundle)
    on_machine = machine.describe()
    return {
        "format": FORMAT,
        "when": when,
        "bundle": {
            "identity": bundle.identity,
            "name": bundle.name,
            "bytes": bundle_bytes(bundle),
            "tasks": [task.name for task in bundle.tasks],
        },
        "machine": {
            "cpu": on_machine["processor"],
            "cores": usable_cpus(),
            "system": on_machine["system"],
            "python": on_machine["python"],
            **{name: on_machine["packages"][name] for name in PACKAGES},
            "locust": version("locust"),
        },
        "settings": {
            "data": data.name,
            "texts": len(harness.examples),
            "texts_digest": digest([example.text for example in harness.examples]),
            "rate": options.rate,
            "users": options.users,
            "batch": options.batch,
            "tasks": options.tasks,
            "duration_s": options.duration_s,
            "p99_target_ms": budgets.target.p99_ms,
        },
        "problems": [result["error"] for result in results.values() if "error" in result],
        "facts": facts,
        "verdicts": verdicts(facts, budgets),
        "cost": cost(facts, read_toml(Prices, PRICES)),
        "stages": results,
        "samples": harness.samples,
    }


def collect_facts(results: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    """The figures that budgets and prices are held against; None: not measured."""

    def figure(probe: str, key: str) -> Any:
        return results.get(probe, {}).get(key)

    memory_mb = [row["server_memory_mb"] for row in results.values() if "server_memory_mb" in row]
    # A part of the texts may be luckier than the whole.
    tasks = figure("accuracy", "tasks") if figure("accuracy", "whole") else {}
    lost = [
        task["claimed"] - task["served"]
        for task in tasks.values()
        if None not in (task["claimed"], task["served"])
    ]
    errors = [figure(probe, "errors") for probe in ("accuracy", "single", "steady")]
    return {
        "first_answer_ms": figure("starts", "first_answer_ms"),
        "warm_p50_ms": figure("single", "p50_ms"),
        "steady_p99_ms": figure("steady", "p99_ms"),
        "held_rate": figure("steps", "held"),
        "errors": None if None in errors else sum(errors),
        "memory_mb": max(memory_mb, default=None),
        "bundle_mb": round(bundle_bytes(bundle) / 1e6, 2),
        "accuracy_lost": round(max(lost), 2) if lost else None,
        "cpu_ms_per_request": figure("steady", "cpu_ms_per_request"),
    }


def latencies(document: Document, run: str, since: str = "due") -> NDArray[np.float64]:
    """Milliseconds of the good answers of one run, from its raw samples; empty without a run."""
    sample = document["samples"].get(run)
    if not sample:
        return np.empty(0)
    durations = np.asarray(sample["done"], float) - np.asarray(sample[since], float)
    good: NDArray[np.float64] = durations[np.asarray(sample["status"]) == 200]
    return good


def bundle_bytes(bundle: Bundle) -> int:
    return sum(file.stat().st_size for file in bundle.path.iterdir() if file.is_file())
