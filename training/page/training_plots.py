"""The plots of a run's page, each from the document that stands beside it as training.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FixedLocator, NullLocator

from profiling.render.plot import (
    BAD,
    FIRST,
    INK,
    MUTED,
    SECOND,
    beside,
    drawing,
    legend_above,
    name_rows,
)
from training.judge.metrics import HEADLINE
from training.judge.ship_bundle import CONTENDERS, shipped

Document = dict[str, Any]
"""As training/judge/training_report.py writes it."""
MOST_CONFUSED = 8
LARGEST_MATRIX = 16
"""Labels; more of them are a list of the worst confusions."""


def contenders(document: Document, task: str) -> Markup:
    """Headline and interval of everything that was judged."""
    metrics = document["metrics"]
    judged = [name for name in CONTENDERS if name in metrics]
    with drawing(
        f"contenders-{task}", f"{task}: figures and intervals", 0.3 * len(judged) + 0.6
    ) as drawn:
        axes = drawn.axes
        name_rows(axes, [CONTENDERS[name] for name in judged])
        for place, name in enumerate(judged):
            figures = metrics[name]["tasks"][task]
            value = figures.get(HEADLINE["single"], figures.get(HEADLINE["multi"]))
            if value is None:
                continue
            colour = FIRST if name == shipped(metrics) else MUTED
            if figures["interval"]:
                axes.plot(figures["interval"], [place, place], color=colour, alpha=0.5, linewidth=5)
            axes.plot(value, place, "o", color=colour)
            axes.annotate(
                f"{value:.1f}", (value, place), (0, 6), textcoords="offset points", ha="center",
                color=INK if name == shipped(metrics) else MUTED, fontsize=8.5,
            )  # fmt: skip
        axes.set_ylim(len(judged) - 0.5, -0.8)
        axes.grid(axis="x")
        axes.set_xlabel("percent, with the 95 % interval")
    return drawn.svg


def recalls(document: Document, task: str) -> Markup | None:
    """Of each label the share that is found, lowest first."""
    entries = [entry for entry in document["mistakes"][task]["recall"] if entry["rows"]]
    if len(entries) < 2:
        return None
    shown = entries[:20]
    with drawing(f"recalls-{task}", f"{task}: recall of labels", 0.22 * len(shown) + 0.7) as drawn:
        axes = drawn.axes
        name_rows(axes, [f"{_short(entry['label'])} ({entry['rows']})" for entry in shown])
        for place, entry in enumerate(shown):
            axes.plot(
                [entry["low"], entry["high"]], [place, place], color=FIRST, alpha=0.35, linewidth=4
            )
            axes.plot(entry["recall"], place, "o", color=FIRST, markersize=4)
        axes.set_xlim(0, 102)
        axes.grid(axis="x")
        axes.set_xlabel("percent found of its test rows (their number)")
    return drawn.svg


def confusion(document: Document, task: str) -> Markup | None:
    """Which label was taken for which; nothing for many labels or sets of them."""
    facts = document["mistakes"][task]
    if "confusion" not in facts or not 2 <= len(facts["labels"]) <= LARGEST_MATRIX:
        return None
    counts = np.array(facts["confusion"], float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(counts)
    with drawing(f"confusion-{task}", f"{task}: confusions", 0.3 * size + 1.2) as drawn:
        axes = drawn.axes
        for row in range(size):
            for column in range(size):
                colour = FIRST if row == column else BAD
                axes.add_patch(
                    _square(column, row, colour, 0.08 + 0.75 * float(shares[row, column]))
                )
                if counts[row, column]:
                    axes.text(
                        column,
                        row,
                        f"{counts[row, column]:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                    )
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), xlabel="answer", ylabel="truth")
        names = [_short(label, 12) for label in facts["labels"]]
        axes.set_xticks(range(size), names, rotation=35, ha="right")
        axes.set_yticks(range(size), names)
        axes.grid(visible=False)
    return drawn.svg


def _square(column: int, row: int, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, color=colour, alpha=alpha, linewidth=0)


def calibration(document: Document, task: str) -> Markup | None:
    """How often an answer of a score is right."""
    bins = document["mistakes"][task].get("calibration", [])
    if len(bins) < 2:
        return None
    with drawing(f"calibration-{task}", f"{task}: scores against the truth") as drawn:
        axes = drawn.axes
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle=(0, (3, 2)))
        scores, right, rows = (
            np.array([entry[key] for entry in bins]) for key in ("score", "right", "rows")
        )
        axes.plot(scores, right, color=FIRST)
        axes.scatter(scores, right, s=8 + 160 * rows / rows.sum(), color=FIRST)
        axes.set(xlim=(0, 102), ylim=(0, 102), xlabel="score, percent", ylabel="right, percent")
    return drawn.svg


def curve(document: Document) -> Markup | None:
    """A simple model on more and more rows, drawn on to twice as many."""
    curves = document["advice"]["curves"]
    if not curves:
        return None
    with drawing("curve", "Learning curves") as drawn:
        axes = drawn.axes
        for entry, colour in zip(curves, _colours(), strict=False):
            rows, figures = entry["rows"], np.array(entry["figures"])
            mean = figures.mean(1)
            axes.plot(rows, mean, color=colour, label=entry["task"])
            axes.fill_between(
                rows, figures.min(1), figures.max(1), color=colour, alpha=0.2, linewidth=0
            )
            doubled, end = 2 * rows[-1], mean[-1]
            axes.plot(
                [rows[-1], doubled], [end, end + entry["gain"]], color=colour, linestyle=(0, (2, 2))
            )
            axes.plot(
                [doubled, doubled],
                [end + entry["low"], end + entry["high"]],
                color=colour,
                alpha=0.4,
            )
        axes.set_xscale("log")
        ticks = [*curves[0]["rows"], 2 * curves[0]["rows"][-1]]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:,.0f}")
        legend_above(axes, columns=3)
        axes.set(xlabel="training rows; dashed: twice as many", ylabel="percent on test rows")
    return drawn.svg


def _colours() -> Iterator[str]:
    from profiling.render.plot import SERIES

    while True:
        yield from SERIES


def lost(document: Document) -> Markup:
    """What int8 took from each task, on validation."""
    drops = list(document["quantization"]["drops"].values())
    with drawing("lost", "Points that int8 lost", 0.3 * len(drops) + 0.7) as drawn:
        axes = drawn.axes
        name_rows(axes, [drop["task"] for drop in drops])
        for place, drop in enumerate(drops):
            axes.plot(
                [drop["low"], drop["high"]], [place, place], color=SECOND, alpha=0.4, linewidth=5
            )
            axes.plot(drop["drop"], place, "o", color=SECOND)
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.set_ylim(len(drops) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.set_xlabel("points lost on validation, with the 95 % interval")
    return drawn.svg


def seconds(document: Document) -> Markup:
    """Where the time went."""
    stages = [
        (name, times["wall"]) for name, times in document["seconds"].items() if times["wall"] >= 1
    ]
    with drawing("seconds", "Time of each stage", 0.25 * len(stages) + 0.5) as drawn:
        axes = drawn.axes
        name_rows(axes, [name for name, _ in stages])
        for place, (_, wall) in enumerate(stages):
            axes.barh(place, wall, height=0.6, color=FIRST)
            beside(axes, wall, place, f"{wall / 60:.1f} min" if wall >= 60 else f"{wall:.0f} s")
        axes.set_xlim(0, 1.18 * max((wall for _, wall in stages), default=1))
        axes.set_xlabel("seconds")
        axes.grid(axis="x")
    return drawn.svg


def _short(label: str, most: int = 24) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
