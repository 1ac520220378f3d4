"""How does a plot follow the page, light or dark? Drawn by matplotlib, coloured by the page's CSS.

Every colour is drawn as a stand-in that becomes a CSS variable in the SVG, and text stays text in
the page's own typeface.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

INK, MUTED, GRID, PAPER = "#010203", "#040506", "#070809", "#0a0b0c"
FIRST, SECOND, THIRD, BAD = "#0d0e0f", "#101112", "#131415", "#161718"
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    FIRST: "--first",
    SECOND: "--second",
    THIRD: "--third",
    BAD: "--bad",
}
WIDTH_IN = 4.6
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": INK,
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
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
}


class Drawing:
    """A figure of one plot, and its SVG once the `with` block that made it has ended."""

    def __init__(self, figure: Figure, axes: Axes) -> None:
        self.figure = figure
        self.axes = axes
        self.svg = ""


@contextmanager
def drawing(name: str, says: str, height_in: float = 2.6) -> Iterator[Drawing]:
    """`name` keeps the ids in its SVG apart from others'; `says` is read to who cannot see it."""
    with mpl.rc_context(STYLE):
        mpl.rcParams["svg.hashsalt"] = name
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        drawn = Drawing(figure, figure.subplots())
        yield drawn
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    drawn.svg = _themed(buffer.getvalue(), name, says)


def _themed(svg: str, name: str, says: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", svg)
    svg = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", svg, count=2)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    for mark in ("figure", "axes", "patch", "line2d", "text", "matplotlib.axis", "xtick", "ytick",
                 "PathCollection", "FillBetweenPolyCollection", "LineCollection"):  # fmt: skip
        svg = re.sub(rf' id="{mark}_\d+"', "", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{says}" ', 1)


def beside(axes: Axes, x: float, y: float, text: str, colour: str = MUTED, away: float = 4) -> None:
    """A label `away` points to the right of a place, or to the left of it when that is negative."""
    axes.annotate(
        text, (x, y), (away, 0), textcoords="offset points", color=colour, fontsize=8.5,
        va="center", ha="left" if away > 0 else "right", annotation_clip=False,
    )  # fmt: skip


def log_axis(axes: Axes, which: str) -> None:
    """A logarithmic axis with plain numbers on it."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    steps = (1, 1.5, 2, 3, 5, 7) if high / low < 8 else (1, 2, 5) if high / low < 300 else (1,)
    ticks = [
        step * 10.0**power
        for power in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        for step in steps
        if low <= step * 10.0**power <= high
    ]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def short_ms(value: float) -> str:
    """Milliseconds in three digits at most, seconds from one on."""
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms"
