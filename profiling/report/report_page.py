"""What does the report say, to people? One HTML file that needs nothing else, from the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from profiling.report import bars, figures

DASH = "\N{EN DASH}"
FOLDER = Path(__file__).parent
FIGURES = (figures.distribution, figures.curve, figures.rates, figures.batches, bars.cold,
           bars.warm, bars.operators, bars.instances, bars.memory)  # fmt: skip


def page(document: dict[str, Any]) -> str:
    """The whole page; what was not measured is left out of it."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure_number, "ms": milliseconds, "count": count}
    drawn = {draw.__name__: draw(document) for draw in FIGURES}
    return environment.get_template("page.html").render(
        css=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),  # ours, not a user's
        figures={name: Markup(svg) for name, svg in drawn.items() if svg},
        good=lambda name: name in document["stages"] and "error" not in document["stages"][name],
        **document,
    )


def figure_number(value: float | None) -> str:
    """A figure of three digits or so; a dash for what was not measured."""
    if value is None:
        return DASH
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def milliseconds(value: float | None) -> str:
    """With its unit: seconds from one on."""
    if value is None:
        return DASH
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{figure_number(value)} ms"


def count(value: float) -> str:
    """A large number in words that can be read at a glance."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:.0f}"
