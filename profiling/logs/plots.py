"""The log as pictures: SVG to stand inside a page, its lines and letters in the page's colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from profiling.logs.entry import Record
from profiling.logs.summary import Quantiles

INK = "#010203"
"""Stands for the page's own colour of text, and is replaced by `currentColor`."""
COLORS = ("#2f7ed8", "#e07b39", "#3a9d6e", "#9b59b6", "#c2a01e", "#d1495b")
TICKS = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)
STYLE: dict[Any, Any] = {
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "polyhead",
    "legend.frameon": False,
}


def percentile_curve(revisions: Mapping[str, Sequence[Record]]) -> str | None:
    """Latency of warm predictions over the share that was faster, the tail drawn out."""
    sides = {
        name: np.sort([it.duration_ms for it in records if it.warm])
        for name, records in revisions.items()
    }
    sides = {name: values for name, values in sides.items() if len(values) > 1}
    if not sides:
        return None
    with _figure(3.4) as (figure, axes):
        for (name, values), color in zip(sides.items(), _colors(), strict=False):
            shares = (np.arange(len(values)) + 0.5) / len(values)
            axes.plot(-np.log10(1 - shares), values, color=color, label=name, lw=1.8)
        largest = -np.log10(0.5 / max(map(len, sides.values())))
        ticks = [share for share in TICKS if -np.log10(1 - share) <= largest]
        axes.set_xticks([-np.log10(1 - share) for share in ticks], [f"{it:.4g}" for it in ticks])
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
        axes.yaxis.set_minor_formatter(FuncFormatter(_plain))
        axes.set(xlabel="share of predictions that were faster", ylabel="ms")
        axes.legend()
        return _svg(figure)


def waterfall(record: Record) -> str:
    """The spans of one request as bars over time, waiting for the request left out."""
    idle = next((span for span in record.spans if span.name == "idle"), None)
    spans = [span for span in record.spans if span is not idle]
    with _figure(0.6 + 0.24 * len(spans)) as (figure, axes):
        for row, span in enumerate(spans):
            late = idle is not None and span.start_ms >= idle.start_ms
            start_ms = span.start_ms - (idle.duration_ms if late and idle else 0.0)
            axes.barh(row, span.duration_ms, left=start_ms, color=COLORS[0], height=0.72)
            text = f" {span.duration_ms:.3g}"
            axes.text(start_ms + span.duration_ms, row, text, va="center", fontsize=8)
        axes.set_yticks(range(len(spans)), [span.name for span in spans])
        axes.invert_yaxis()
        axes.margins(x=0.08)
        axes.set_xlim(left=min(span.start_ms for span in spans))
        axes.set(xlabel="ms")
        return _svg(figure)


def span_ranges(spans: Mapping[str, Quantiles]) -> str | None:
    """p50, p95 and p99 of each span, as a dot, a bar and a tick."""
    if not spans:
        return None
    with _figure(0.7 + 0.3 * len(spans)) as (figure, axes):
        for row, found in enumerate(spans.values()):
            axes.plot([found.p50, found.p99], [row, row], color=COLORS[0], lw=2, alpha=0.35)
            axes.plot([found.p50, found.p95], [row, row], color=COLORS[0], lw=5, alpha=0.6)
            axes.plot(found.p50, row, "o", color=COLORS[0])
            axes.plot(found.p99, row, "|", color=COLORS[0], markersize=10)
        axes.set_yticks(range(len(spans)), list(spans))
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.set(xlabel="ms: p50 (dot), to p95 (bar), p99 (tick)")
        return _svg(figure)


def memory_over_age(revisions: Mapping[str, Sequence[Record]]) -> str:
    """Resident memory of each instance as it grows older."""
    with _figure(3.0) as (figure, axes):
        for (name, records), color in zip(revisions.items(), _colors(), strict=False):
            instances: dict[str, list[Record]] = {}
            for record in records:
                instances.setdefault(record.instance, []).append(record)
            for number, own in enumerate(instances.values()):
                own.sort(key=lambda record: record.age_s)
                label = name if number == 0 else None
                thin = own[:: max(1, len(own) // 500)]
                ages = [record.age_s / 60 for record in thin]
                sizes = [record.rss_mb for record in thin]
                axes.plot(ages, sizes, ".-", ms=3, lw=0.8, color=color, label=label)
        axes.set(xlabel="age of the instance, minutes", ylabel="MB resident")
        axes.legend()
        return _svg(figure)


@contextmanager
def _figure(height: float) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        yield figure, figure.add_subplot()


def _svg(figure: Figure) -> str:
    """The figure as an element; it scales with the page and carries no date."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue().replace(INK, "currentColor")
    element = text[text.index("<svg") :]
    return re.sub(r'(<svg[^>]*?) width="[^"]*"|(<svg[^>]*?) height="[^"]*"', r"\1\2", element)


def _colors() -> Iterator[str]:
    while True:
        yield from COLORS


def _plain(value: float, _place: float) -> str:
    """1, 2 and 5 of each power of ten as plain numbers, and nothing at the others."""
    digits = value / 10 ** np.floor(np.log10(value)) if value > 0 else 0.0
    return f"{value:g}" if any(abs(digits - it) < 1e-6 for it in (1, 2, 5)) else ""
