"""What does the report say, to people? One HTML file that needs nothing else, from the document."""

from __future__ import annotations

from pathlib import Path

from profiling.render.page import render
from profiling.report import figures
from profiling.report.document import Document

FIGURES = (figures.distribution, figures.curve, figures.rates, figures.batches, figures.cold,
           figures.warm, figures.operators, figures.memory)  # fmt: skip


def page(document: Document) -> str:
    """The whole page; what was not measured is left out of it."""
    return render(
        Path(__file__).with_name("page.html"),
        figures={draw.__name__: draw(document) for draw in FIGURES},
        good=lambda name: name in document["stages"] and "error" not in document["stages"][name],
        **document,
    )
