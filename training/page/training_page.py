"""What came out of a run, to a person: one HTML file that needs nothing else.

The plots are in training_plots.py, the words in training_page.html.
"""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import Any

from model.aside import read_json, write_text
from profiling.render.page import render
from tables.csv_rows import MAX_CELL_CHARS
from training.advice.advice_report import AdviceFiles
from training.judge.refit_facts import REFIT
from training.page import training_plots as plots
from training.rows.truncation import truncation_line
from training.run import Run

SHOWN = 15
"""Rows of each table."""
CELL_CHARS = 400
"""Longest cell of a table."""
PER_TASK = (plots.contenders, plots.confusion, plots.recalls, plots.calibration)
OF_ALL = (plots.curve, plots.lost, plots.seconds)


def write_page(run: Run, files: AdviceFiles) -> None:
    """Write DIR.report/training.html, from training.json, the stage `advise` and its files."""
    document = read_json(run.report / "training.json") | {"advice": run.facts("advise")}
    write_text(run.report / "training.html", training_page(document, files))


def training_page(document: plots.Document, files: AdviceFiles) -> str:
    """`document` is what stands in training.json."""
    tasks = {
        name: {
            "plots": {draw.__name__: draw(document, name) for draw in PER_TASK},
            "headline": figures.get("accuracy", figures.get("micro_f1")),
            "measure": "of the answers are right" if "accuracy" in figures else "micro-F1",
            "interval": figures["interval"],
            "rows": figures["rows"],
            "confused": _rows(document["mistakes"].get(name, {}).get("confused", [])),
            "confident": _rows(document["mistakes"].get(name, {}).get("confident", [])),
        }
        for name, figures in document["metrics"][document["metrics"].get("shipped", "int8")][
            "tasks"
        ].items()
        if name in document["mistakes"]
    }
    return render(
        Path(__file__).with_name("training_page.html"),
        name=document["bundle"].partition("@")[0],
        identity=document["bundle"],
        warnings=document["warnings"],
        advice=document["advice"],
        minutes=sum(times["wall"] for times in document["seconds"].values()) / 60,
        tasks=tasks,
        refitted=REFIT in document["metrics"],
        figures={draw.__name__: draw(document) for draw in OF_ALL},
        truncated=truncation_line(document["truncated"]),
        suspects=_csv_rows(files.suspects),
        to_label=_csv_rows(files.to_label),
        files=files,
    )


def _rows(entries: list[dict[str, Any]]) -> list[list[str]]:
    """A header and the entries' values."""
    if not entries:
        return []
    cells = [list(entries[0]), *([str(value) for value in entry.values()] for entry in entries)]
    return _shortened(cells)


def _csv_rows(path: Path) -> list[list[str]]:
    """The header and the first rows."""
    csv.field_size_limit(MAX_CELL_CHARS)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(islice(csv.reader(file), SHOWN + 1))
    return _shortened(rows) if len(rows) > 1 else []


def _shortened(rows: list[list[str]]) -> list[list[str]]:
    return [
        [cell if len(cell) <= CELL_CHARS else cell[: CELL_CHARS - 1] + "…" for cell in row]
        for row in rows
    ]
