"""Where is the front? Accuracy against latency and against size, side by side.

A marker's digit is the number of layers, its colour the width, its filling the precision. What no
other point beats is joined by a line and named; the rest is faint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from profiling.render.plot import BAD, INK, MUTED, SERIES, STYLE, log_axis
from training.studies.sweep.front import COSTS, BundleLimits, Cost, Point, front

AXES = {"latency": "milliseconds per text", "size": "megabytes"}
OUTSIDE = "#efe9e1"
"""Shade of what the limits leave out."""
FRONT_LINE: dict[str, Any] = {"color": INK, "linewidth": 1.2, "alpha": 0.55}
MARKER = 150  # square points
LINE_HEIGHT, LABEL_WIDTH, ABOVE = 11, 110, 6  # points that a label needs, and its place
LEADER = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 6}
ALONE = {
    "svg.hashsalt": "sweep",
    "svg.fonttype": "path",
    "figure.facecolor": "white",
    "axes.grid.axis": "both",
    "axes.spines.left": True,
    "axes.spines.bottom": True,
}
"""Beside STYLE: the files stand alone, with a typeface and a ground of their own."""


def draw(
    name: str, points: Sequence[Point], limits: BundleLimits, choice: Point | None, folder: Path
) -> None:
    """Write sweep.png and sweep.svg to `folder`."""
    widths = sorted({point.width for point in points}, reverse=True)
    colours = {width: SERIES[place % len(SERIES)] for place, width in enumerate(widths)}
    with rc_context(STYLE | ALONE):
        figure = Figure(figsize=(12, 5.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (kind, cost) in zip(panels, COSTS.items(), strict=True):
            costs = [cost(point) for point in points]
            axes.set_xlim(min(costs) / 1.9, max(costs) * 1.25)
            log_axis(axes, "x")
            axes.set_xlabel(AXES[kind])
            axes.set_title(f"accuracy against {kind}", loc="left", fontweight="bold", color=INK)
        accuracies = [point.accuracy for point in points]
        room = max(max(accuracies) - min(accuracies), 1.0)
        panels[0].set_ylim(min(accuracies) - 0.08 * room, max(accuracies) + 0.16 * room)
        panels[0].set_ylabel("accuracy on validation, percent, mean over tasks")
        figure.suptitle(name, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
        figure.legend(handles=_legend(colours, choice), loc="outside lower center", ncols=9)
        figure.draw_without_rendering()  # labels are placed by where the panels come to lie
        most = {"latency": limits.max_latency_ms, "size": limits.max_mb}
        for axes, (kind, cost) in zip(panels, COSTS.items(), strict=True):
            _shade(axes, most[kind], limits.min_accuracy)
            _panel(axes, points, cost, colours, choice)
        for suffix, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
            figure.savefig(folder / f"sweep.{suffix}", **options)


def _shade(axes: Axes, max_cost: float | None, min_accuracy: float | None) -> None:
    """Shade what the limits leave out."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    if max_cost is not None:
        axes.axvspan(min(max_cost, right), right, color=OUTSIDE, zorder=0)
    if min_accuracy is not None:
        axes.axhspan(low, max(low, min(min_accuracy, high)), color=OUTSIDE, zorder=0)
    axes.set(xlim=(left, right), ylim=(low, high))


def _panel(
    axes: Axes,
    points: Sequence[Point],
    cost: Cost,
    colours: dict[int, str],
    choice: Point | None,
) -> None:
    best = front(points, cost)
    axes.plot(
        [*(cost(point) for point in best), axes.get_xlim()[1]],
        [*(point.accuracy for point in best), best[-1].accuracy],
        drawstyle="steps-post", zorder=2, **FRONT_LINE,
    )  # fmt: skip
    for point in points:
        _mark(axes, point, cost(point), colours[point.width], point in best)
    if choice is not None:
        axes.scatter(
            [cost(choice)], [choice.accuracy],
            s=3 * MARKER, facecolor="none", edgecolor=BAD, linewidth=2, zorder=6,
        )  # fmt: skip
    named = best if choice is None or choice in best else sorted([*best, choice], key=cost)
    _labels(axes, named, cost, choice)


def _mark(axes: Axes, point: Point, x: float, colour: str, on_front: bool) -> None:
    filled = point.precision == "int8"
    alpha, layer = (1.0, 4) if on_front else (0.32, 3)
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


def _labels(axes: Axes, named: Sequence[Point], cost: Cost, choice: Point | None) -> None:
    """Name points above and to the left, where a front has nothing; never two on one line."""
    placed: list[tuple[float, float]] = []
    for point in named:
        at = cost(point), point.accuracy
        x, y = (float(value) * 72 / axes.figure.dpi for value in axes.transData.transform(at))
        height = y + ABOVE
        for other_x, other in placed:
            if x - other_x < LABEL_WIDTH and height - other < LINE_HEIGHT:
                height = other + LINE_HEIGHT
        placed.append((x, height))
        axes.annotate(
            point.name, at, xytext=(-9, height - y), textcoords="offset points", ha="right",
            fontsize=8, fontweight="bold" if point is choice else "normal", color=INK,
            arrowprops=LEADER if height - y > ABOVE + LINE_HEIGHT / 2 else None, zorder=7,
        )  # fmt: skip


def _legend(colours: dict[int, str], choice: Point | None) -> list[Line2D]:
    def entry(label: str, marker: str, edge: str, fill: str) -> Line2D:
        return Line2D(
            [], [], linestyle="none", marker=marker, markersize=9,
            markeredgecolor=edge, markerfacecolor=fill, label=label,
        )  # fmt: skip

    return [
        *(entry(f"{width} wide", "o", colour, colour) for width, colour in colours.items()),
        entry("int8", "o", INK, INK),
        entry("fp32", "o", INK, "white"),
        entry("teacher", "D", INK, "white"),
        Line2D([], [], label="front", **FRONT_LINE),
        *([entry("the choice", "o", BAD, "white")] if choice else []),
    ]
