"""Is what ships what was promised? The refitted student in int8, and what is checked of it.

No figure of accuracy: there is no row left that it has not seen. Temperatures and thresholds are
the held-out fit's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model.aside import write_json
from model.bundle import MODEL, read_bundle
from model.bundle_writer import copied_bundle
from model.classifier import Classifier
from training.fit.network import load_network
from training.judge.judged import judge_rows
from training.judge.refit_facts import ENOUGH, shortfalls
from training.quantize.export import export_onnx
from training.quantize.quantize_student import quantize_on_text
from training.recipe import Quantize
from training.rows.own_rows import contradicted, own_rows, probes
from training.rows.table import Table
from training.run import FACTS, Run

TEXTS = 10_000  # that are compared, at most


def run(run: Run, folder: Path) -> None:
    """The stage `verify`: write the refitted student in fp32 and in int8, and the checks."""
    held_out = read_bundle(run.work / "quantize" / "int8")
    settings = Quantize(**run.facts("quantize")["settings"])
    graph = folder / MODEL
    export_onnx(load_network(run.work / "refit"), graph)
    exact = copied_bundle(held_out, folder / "fp32", model=graph)
    quantize_on_text(run, exact.path / MODEL, graph, settings)
    int8 = copied_bundle(held_out, folder / "int8", model=graph)
    graph.unlink()
    compared = probes(run.table)[:TEXTS]
    texts = [row.text for row in compared]
    facts = {
        "own_rows": own_row_facts(run.table, int8.path, run.recipe.ship.never_fitted),
        "never_fitted": list(run.recipe.ship.never_fitted),
        "texts": {"unlabelled": not compared[0].labelled, "count": len(texts)},
        "same_as_held_out": agreement(int8.path, held_out.path, texts),
        "same_as_fp32": agreement(int8.path, exact.path, texts),
    }
    write_json(folder / FACTS, facts)
    for line in shortfalls(facts):
        print(f"warning: {line}", flush=True)


def own_row_facts(table: Table, bundle: Path, never_fitted: tuple[str, ...]) -> dict[str, Any]:
    """{task: {"rows", "wrong", "percent", "contradicted"}}: of the rows that were fitted, those
    whose labels are all answered and no other; `contradicted` ones are not counted."""
    rows = own_rows(table, never_fitted)
    disputed = dict(zip((id(row) for row in rows), contradicted(rows), strict=True))
    facts = {}
    for place, task in enumerate(judge_rows(table, bundle, rows)):
        counts = ~np.array([disputed[id(row)][place] for row in task.rows], np.bool_)
        right = (task.truth == task.answers).all(axis=1)[counts]
        facts[task.name] = {
            "rows": len(right),
            "wrong": int((~right).sum()),
            "percent": round(100 * float(right.mean()), 2) if len(right) else None,
            "contradicted": int((~counts).sum()),
            "enough": ENOUGH[task.kind],
        }
    return facts


def agreement(one: Path, other: Path, texts: list[str]) -> dict[str, float]:
    """{task: percent of the texts to which both bundles give the same labels}."""
    first, second = (
        Classifier.load(path, threads=os.cpu_count() or 1).predict(texts) for path in (one, other)
    )
    same = {
        task: sum(_labels(a[task]) == _labels(b[task]) for a, b in zip(first, second, strict=True))
        for task in first[0]
    }
    return {task: round(100 * count / len(texts), 2) for task, count in same.items()}


def _labels(answer: Iterable[Mapping[str, object]]) -> set[object]:
    return {entry["label"] for entry in answer}
