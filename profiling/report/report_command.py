"""The command: measure, write report.json, draw report.html, say what matters."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.bundle import BundleError, read_bundle
from profiling.report.bench import Bench
from profiling.report.budgets import BudgetError, read_budgets
from profiling.report.document import document
from profiling.report.options import Options, read_options
from profiling.report.probes import run_stages
from profiling.report.report_page import page
from profiling.report.texts import TextsError, find_data, read_examples
from profiling.server import Server, ServerError

JSON = "report.json"
PAGE = "report.html"


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, 1 (a budget is broken and --gate was given), 2 (asked wrongly)."""
    options = read_options(arguments)
    try:
        found = report(options)
    except (BundleError, BudgetError, TextsError, ServerError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    print(spoken(found))
    print(options.out / PAGE)
    broken = found["problems"] or any(not verdict["kept"] for verdict in found["verdicts"])
    return 1 if options.gate and broken else 0


def report(options: Options) -> dict[str, Any]:
    """Measure and write both files; returns the document. Raises what `main` catches."""
    bundle = read_bundle(options.bundle)
    unknown = set(options.tasks or ()) - {task.name for task in bundle.tasks}
    if unknown:
        known = ", ".join(task.name for task in bundle.tasks)
        raise ValueError(f"--tasks: no task {min(unknown)!r} in the bundle; give some of {known}")
    budgets = read_budgets(options.budgets)
    data = find_data(bundle, options.data)
    examples = read_examples(bundle, data, options.text)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="report-") as name:
        folder = Path(name)
        bench = Bench(
            options, bundle, examples, folder, budgets.p99_ms, Server(bundle.path, folder / "log")
        )
        try:
            bench.server.wait_until_listening()
            bench.server.expect("GET", "/ready")
            run_stages(bench)
        finally:
            bench.server.stop()
        found = document(bench, budgets, data, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    (options.out / JSON).write_text(json.dumps(found, separators=(",", ":")) + "\n")
    (options.out / PAGE).write_text(page(found), encoding="utf-8")
    return found


def spoken(found: dict[str, Any]) -> str:
    """The verdicts as a table for the terminal."""
    marks = {True: "kept", False: "BROKEN", None: "not measured"}
    lines = [found["bundle"]["identity"], ""]
    for verdict in found["verdicts"]:
        figure = "-" if verdict["found"] is None else f"{verdict['found']:g} {verdict['unit']}"
        limit = f"{verdict['sense']} {verdict['limit']:g}"
        lines.append(f"{verdict['title']:<28}{figure:>14}   {limit:<16}{marks[verdict['kept']]}")
    return "\n".join([*lines, *(f"problem: {problem}" for problem in found["problems"])])
