"""What does the report say, to people? One HTML file that needs nothing else, from the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from profiling.render.page import render
from profiling.report import bars, figures

FIGURES = (figures.distribution, figures.curve, figures.rates, figures.batches, bars.cold,
           bars.warm, bars.operators, bars.instances, bars.memory)  # fmt: skip


def page(document: dict[str, Any]) -> str:
    """The whole page; what was not measured is left out of it."""
    drawn = {draw.__name__: draw(document) for draw in FIGURES}
    return render(
        Path(__file__).with_name("page.html"),
        figures={name: svg and Markup(svg) for name, svg in drawn.items()},
        good=lambda name: name in document["stages"] and "error" not in document["stages"][name],
        **document,
    )
