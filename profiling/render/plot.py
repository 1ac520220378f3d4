"""The one style of every plot: drawn by matplotlib, coloured by the page around it.

In the SVG each colour becomes a CSS variable of `page.css`, so that a plot follows its page from
light to dark; outside a page it has the light colours. Text stays text in the page's own typeface.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

COLOURS = {
    "ink": "#22262b", "muted": "#646b74", "grid": "#e3e1da", "bad": "#b93636", "first": "#2f6bb3",
    "second": "#c8601a", "third": "#3f8f6b", "fourth": "#8a56ac", "fifth": "#a8861c",
    "sixth": "#5d6d7e",
}  # fmt: skip
"""Each CSS variable that plots use, and its value in the light scheme of page.css."""
INK, MUTED, GRID, BAD, *SERIES = COLOURS.values()
FIRST, SECOND, THIRD, *_ = SERIES
WIDTH_IN = 4.6
"""Width of a plot that stands beside another on a page, in inches."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
}


class Drawing:
    """Axes to draw in, and their SVG once the `with` block that made them has ended."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = Markup()


@contextmanager
def drawing(name: str, description: str, height_in: float = 2.6) -> Iterator[Drawing]:
    """A plot to fill in; screen readers read the description.

    `name` keeps the ids within the SVG apart from those of other plots on the page.
    """
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        drawn = Drawing(figure.subplots())
        yield drawn
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    drawn.svg = _themed(buffer.getvalue(), description)


def _themed(svg: str, description: str) -> Markup:
    """The bare `<svg>` element, as wide as its place, its colours those of the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", svg)
    svg = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r' id="[A-Za-z.]+(?:2d)?_\d+"', "", svg)  # the same in every plot
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    label = f'<svg role="img" aria-label="{escape(description)}" '
    return Markup(svg.replace("<svg ", label, 1))  # ours: matplotlib has escaped its text


def name_rows(axes: Axes, names: list[str]) -> None:
    """Name horizontal rows from top to bottom, without a frame around them."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="both", length=0)


def beside(axes: Axes, x: float, y: float, text: str, colour: str = MUTED, away: float = 4) -> None:
    """A label `away` points to the right of a place, or to the left of it when that is negative."""
    axes.annotate(
        text, (x, y), (away, 0), textcoords="offset points", color=colour, fontsize=8.5,
        va="center", ha="left" if away > 0 else "right", annotation_clip=False,
    )  # fmt: skip


def legend_above(axes: Axes, columns: int) -> None:
    """The legend in rows above the plot, where it hides nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=columns,
        handlelength=1, columnspacing=1.2, borderpad=0,
    )  # fmt: skip


def log_axis(axes: Axes, which: str) -> None:
    """A logarithmic axis with plain numbers on it."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    steps = (1, 1.5, 2, 3, 5, 7) if high / low < 8 else (1, 2, 5) if high / low < 300 else (1,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def short_ms(value: float) -> str:
    """Milliseconds in three digits at most, seconds from one on."""
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms"
