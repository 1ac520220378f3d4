"""Where is the front? Accuracy against latency and against size, side by side.

A marker's digit is the number of layers, its colour the width, its filling the precision. What no
other point beats is joined by a line and named; the rest is faint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from training.studies.sweep.front import COSTS, front
from training.studies.sweep.points import Limits, Point

Colour = str
PALETTE: tuple[Colour, ...] = ("#0b5394", "#d9730d", "#2e8b57", "#8e44ad", "#b03a5b", "#5d6d7e")
CHOICE = "#c0392b"
INK, FAINT, OUTSIDE = "#222222", "#9a9a9a", "#efe9e1"
AXES = {"latency": "milliseconds per text", "size": "megabytes"}
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "svg.hashsalt": "sweep",
    "svg.fonttype": "path",
}
MARKER = 150  # square points
LINE_HEIGHT, LABEL_WIDTH, ABOVE = 11, 110, 6  # points that a label needs, and its place
LEADER = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 6}


def draw(
    name: str, points: Sequence[Point], limits: Limits, picked: Point | None, folder: Path
) -> None:
    """Write sweep.png and sweep.svg to `folder`."""
    widths = sorted({point.width for point in points}, reverse=True)
    colours = {width: PALETTE[place % len(PALETTE)] for place, width in enumerate(widths)}
    with rc_context(STYLE):
        figure = Figure(figsize=(12, 5.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        bounds = {"latency": limits.max_latency_ms, "size": limits.max_mb}
        _frame(panels, points)
        for axes, kind in zip(panels, COSTS, strict=True):
            axes.set_xlabel(AXES[kind])
            axes.set_title(f"accuracy against {kind}", loc="left", fontweight="bold", color=INK)
        panels[0].set_ylabel("accuracy on validation, percent, mean over tasks")
        figure.suptitle(name, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
        legend = _legend(colours, picked)
        figure.legend(handles=legend, loc="outside lower center", ncols=9, frameon=False)
        figure.draw_without_rendering()  # labels are placed by where the panels come to lie
        for axes, (kind, cost) in zip(panels, COSTS.items(), strict=True):
            _bounds(axes, bounds[kind], limits.min_accuracy)
            _panel(axes, points, cost, colours, picked)
        for suffix, extra in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
            figure.savefig(folder / f"sweep.{suffix}", **extra)


def _frame(panels: Any, points: Sequence[Point]) -> None:
    """Scales and room, before anything is placed by pixels."""
    accuracies = [point.accuracy for point in points]
    room = max(max(accuracies) - min(accuracies), 1.0)
    for axes, cost in zip(panels, COSTS.values(), strict=True):
        costs = [cost(point) for point in points]
        axes.set_xscale("log")
        axes.set_xlim(min(costs) / 1.9, max(costs) * 1.25)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(color="#e8e8e8", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylim(min(accuracies) - 0.08 * room, max(accuracies) + 0.16 * room)


def _bounds(axes: Axes, most: float | None, least: float | None) -> None:
    """Shade what the limits leave out."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    if most is not None:
        axes.axvspan(min(most, right), right, color=OUTSIDE, zorder=0)
    if least is not None:
        axes.axhspan(low, max(low, min(least, high)), color=OUTSIDE, zorder=0)
    axes.set(xlim=(left, right), ylim=(low, high))


def _panel(
    axes: Axes,
    points: Sequence[Point],
    cost: Callable[[Point], float],
    colours: dict[int, Colour],
    picked: Point | None,
) -> None:
    best = front(points, cost)
    axes.plot(
        [*(cost(point) for point in best), axes.get_xlim()[1]],
        [*(point.accuracy for point in best), best[-1].accuracy],
        drawstyle="steps-post", color=INK, linewidth=1.2, alpha=0.55, zorder=2,
    )  # fmt: skip
    for point in points:
        _mark(axes, point, cost(point), colours[point.width], point in best)
    if picked is not None:
        axes.scatter(
            [cost(picked)], [picked.accuracy],
            s=3 * MARKER, facecolor="none", edgecolor=CHOICE, linewidth=2, zorder=6,
        )  # fmt: skip
    named = best if picked is None or picked in best else sorted([*best, picked], key=cost)
    _labels(axes, named, cost, picked)


def _mark(axes: Axes, point: Point, x: float, colour: Colour, beaten_by_none: bool) -> None:
    filled, alpha = point.precision == "int8", 1.0 if beaten_by_none else 0.32
    layer = 4 if beaten_by_none else 3
    axes.scatter(
        [x], [point.accuracy],
        s=MARKER, marker="D" if point.network == "teacher" else "o",
        facecolor=colour if filled else "white", edgecolor=colour,
        linewidth=1.4, alpha=alpha, zorder=layer,
    )  # fmt: skip
    axes.text(
        x, point.accuracy, str(point.layers), ha="center", va="center_baseline", fontsize=7,
        fontweight="bold", color="white" if filled else colour, alpha=alpha, zorder=layer + 0.5,
    )  # fmt: skip


def _labels(
    axes: Axes, best: Sequence[Point], cost: Callable[[Point], float], picked: Point | None
) -> None:
    """Name points above and to the left, where a front has nothing; never two on one line."""
    placed: list[tuple[float, float]] = []
    for point in best:
        at = axes.transData.transform((cost(point), point.accuracy))
        x, y = (float(value) * 72 / axes.figure.dpi for value in at)
        height = y + ABOVE
        for other_x, other in placed:
            if x - other_x < LABEL_WIDTH and height - other < LINE_HEIGHT:
                height = other + LINE_HEIGHT
        placed.append((x, height))
        shifted = height - y > ABOVE + LINE_HEIGHT / 2
        axes.annotate(
            point.name,
            (cost(point), point.accuracy),
            xytext=(-9, height - y),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            fontweight="bold" if point is picked else "normal",
            color=INK,
            arrowprops=LEADER if shifted else None,
            zorder=7,
        )


def _legend(colours: dict[int, Colour], picked: Point | None) -> list[Line2D]:
    def entry(label: str, marker: str, edge: Colour, fill: Colour) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker=marker, markersize=9,
            markeredgecolor=edge, markerfacecolor=fill, label=label,
        )  # fmt: skip

    return [
        *(entry(f"{width} wide", "o", colour, colour) for width, colour in colours.items()),
        entry("int8", "o", INK, INK),
        entry("fp32", "o", INK, "white"),
        entry("teacher", "D", INK, "white"),
        Line2D([], [], color=INK, linewidth=1.2, alpha=0.55, label="front"),
        *([entry("the choice", "o", CHOICE, "white")] if picked else []),
    ]
