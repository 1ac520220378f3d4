"""The command: measure for four minutes, write report.json, draw report.html, print the verdicts.

python -m profiling report BUNDLE --out DIR
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.aside import write_json, write_text
from model.bundle import read_bundle
from profiling.report.budgets import read_budgets
from profiling.report.document import document
from profiling.report.harness import Harness
from profiling.report.options import Options, read_options
from profiling.report.probes import run_probes
from profiling.report.report_page import page
from profiling.report.texts import find_data, read_examples
from profiling.server import ServerError
from tables.text import aligned

JSON = "report.json"
PAGE = "report.html"


def main(arguments: Sequence[str]) -> int:
    """Exit status 0, 1 (--gate was given and has reasons to fail) or 2 (a wrong call)."""
    options = read_options(arguments)
    try:
        content = report(options)
    except (ValueError, ServerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return 130
    print(verdict_table(content))
    print(options.out / PAGE)
    reasons = gate_reasons(content) if options.gate else []
    if reasons:
        print(f"--gate fails: {'; '.join(reasons)}", file=sys.stderr)
    return 1 if reasons else 0


def report(options: Options) -> dict[str, Any]:
    """Measure, write both files, and return the document.

    Raises ServerError, and ValueError (BundleError, TomlError, TableError, TextsError among them)
    for what the options name.
    """
    bundle = read_bundle(options.bundle)
    known = [task.name for task in bundle.tasks]
    for name in options.tasks or ():
        if name not in known:
            some = ", ".join(known)
            raise ValueError(f"--tasks: no task {name!r} in the bundle; give some of {some}")
    budgets = read_budgets(options.budgets)
    data = options.data or find_data(bundle)
    examples = read_examples(bundle, data, options.text)
    with _writing(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.out) as trial:
            trial.write(b"before anything is measured")
    with (
        tempfile.TemporaryDirectory(prefix="report-") as folder,
        closing(Harness(options, bundle, examples, Path(folder), budgets.target.p99_ms)) as harness,
    ):
        run_probes(harness)
        content = document(harness, budgets, data, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    write_files(options.out, content, page(content))
    return content


def write_files(out: Path, content: dict[str, Any], html: str) -> None:
    """Write the document and its page into the directory `out`; raises ValueError."""
    with _writing(out):
        write_json(out / JSON, content, indent=None)
        write_text(out / PAGE, html)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Raise ValueError, which says what to give, where the block cannot write to `out`."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{out}: {error.strerror}; give another directory with --out") from None


def gate_reasons(content: dict[str, Any]) -> list[str]:
    """Why a report's document does not pass; a budget that was not measured is not kept."""
    reasons = {
        False: "broken",
        None: "not measured (give more --duration, or --budgets without it)",
    }
    return [
        *(f"{v['title']}: {reasons[v['kept']]}" for v in content["verdicts"] if not v["kept"]),
        *content["problems"],
    ]


def verdict_table(content: dict[str, Any]) -> str:
    """The verdicts of a report's document for the terminal."""
    marks = {True: "kept", False: "BROKEN", None: "not measured"}
    rows = [("budget", "measured", "", "limit", "")]
    rows += [
        (
            verdict["title"],
            "-" if verdict["found"] is None else f"{verdict['found']:g}",
            verdict["unit"],
            f"{verdict['sense']} {verdict['limit']:g}",
            marks[verdict["kept"]],
        )
        for verdict in content["verdicts"]
    ]
    problems = [f"problem: {problem}" for problem in content["problems"]]
    return "\n".join([content["bundle"]["identity"], "", *aligned(rows), *problems])
