"""The one frame of every page: a single HTML file, with its style and plots inside it.

A page is a jinja2 template that extends `base.html` and fills its blocks `title`, `header`,
`content` and `footer`; `{% from "parts.html" import table, plot %}` gives it tables and plots.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
DASH = "\N{EN DASH}"


def render(template: Path, **content: Any) -> str:
    """The page that a template makes of its content; raises UndefinedError at an unknown name.

    Text is escaped; the SVG of a drawing is not.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure_number, "ms": milliseconds, "count": count}
    return environment.get_template(template.name).render(content)


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
