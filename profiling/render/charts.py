"""The plots that several pages show: a waterfall of spans, and latency by percentile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from profiling.nesting import LoggedSpan, innermost
from profiling.render.plot import (
    FIRST,
    INK,
    beside,
    drawing,
    legend_above,
    log_axis,
    name_rows,
    short_ms,
)

Line = tuple[str, NDArray[np.float64], str]
"""Title, values and colour."""
PERCENTILES = (0, 50, 75, 90, 95, 99, 99.9, 99.99)
NEGLIGIBLE = 0.008
"""Share of the whole below which a bar is left out."""


@dataclass(frozen=True)
class Bar:
    name: str
    start_ms: float
    duration_ms: float
    holds_others: bool = False

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.duration_ms

    def moved(self, by_ms: float) -> Bar:
        return replace(self, start_ms=self.start_ms + by_ms)


def bars_of(spans: Sequence[LoggedSpan]) -> list[Bar]:
    leaves = innermost(spans)
    return [Bar(span.name, span.start_ms, span.duration_ms, span not in leaves) for span in spans]


def waterfall(name: str, description: str, bars: Sequence[Bar]) -> Markup:
    """The SVG of one bar or more, one below the other; those that hold others are pale."""
    begin_ms = min(bar.start_ms for bar in bars)
    whole_ms = max(bar.end_ms for bar in bars) - begin_ms
    bars = [bar for bar in bars if bar.duration_ms >= NEGLIGIBLE * whole_ms]
    with drawing(name, description, 0.25 * len(bars) + 0.5) as drawn:
        axes = drawn.axes
        name_rows(axes, [bar.name.replace("_", " ") for bar in bars])
        for row, bar in enumerate(bars):
            alpha = 0.3 if bar.holds_others else 1
            axes.barh(row, bar.duration_ms, left=bar.start_ms, height=0.6, color=FIRST, alpha=alpha)
            if bar.end_ms - begin_ms < 0.8 * whole_ms:
                beside(axes, bar.end_ms, row, short_ms(bar.duration_ms))
            elif bar.start_ms - begin_ms > 0.15 * whole_ms:
                beside(axes, bar.start_ms, row, short_ms(bar.duration_ms), away=-4)
            else:
                beside(axes, bar.end_ms, row, short_ms(bar.duration_ms), INK, away=-5)
        axes.set_xlim(begin_ms, begin_ms + whole_ms)
        axes.grid(axis="x")
        axes.set_xlabel("milliseconds")
    return drawn.svg


def percentile_curve(description: str, lines: Sequence[Line]) -> Markup:
    """Milliseconds by percentile, the tail drawn out, for lines of (title, values, colour).

    Each line needs two values or more.
    """
    with drawing("curve", description) as drawn:
        axes = drawn.axes
        for title, values, colour in lines:
            shares = np.linspace(0, 1 - 1 / len(values), 400)
            axes.plot(1 / (1 - shares), np.quantile(values, shares), color=colour, label=title)
        last = max(len(values) for _, values, _ in lines)
        ticks = [percent for percent in PERCENTILES if 1 / (1 - percent / 100) <= last]
        axes.set_xscale("log")
        axes.set_xticks([1 / (1 - tick / 100) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        log_axis(axes, "y")
        legend_above(axes, columns=3)
        axes.set(xlabel="percentile", ylabel="milliseconds")
    return drawn.svg
