"""The log as plots: SVG to stand in a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from profiling.logs.entry import Record
from profiling.logs.summary import Quantiles
from profiling.render.plot import FIRST, SERIES, drawing, legend_above, log_axis, name_rows
from profiling.render.waterfall import bars_of, waterfall

Revisions = Mapping[str, Sequence[Record]]
PERCENTILES = (0, 50, 90, 95, 99, 99.9, 99.99)
POINTS = 500
"""At most so many points are drawn of an instance."""


def percentile_curve(revisions: Revisions) -> str | None:
    """Latency of warm predictions by percentile, the tail drawn out."""
    latencies = {
        name: np.sort([record.duration_ms for record in records if record.warm])
        for name, records in revisions.items()
    }
    latencies = {name: values for name, values in latencies.items() if len(values) > 1}
    if not latencies:
        return None
    with drawing("curve", "Latency of warm predictions by percentile") as drawn:
        axes = drawn.axes
        for (name, values), colour in zip(latencies.items(), cycle(SERIES), strict=False):
            slower = 1 - (np.arange(len(values)) + 0.5) / len(values)
            axes.plot(1 / slower, values, color=colour, label=name)
        last = 2 * max(map(len, latencies.values()))
        ticks = [percent for percent in PERCENTILES if 1 / (1 - percent / 100) <= last]
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([1 / (1 - tick / 100) for tick in ticks]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels([f"{tick:g}" for tick in ticks])
        log_axis(axes, "y")
        legend_above(axes, columns=2)
        axes.set(xlabel="percentile", ylabel="milliseconds")
    return drawn.svg


def cold_start(record: Record) -> str:
    """The spans of a request that paid for a cold start, without the wait for the request."""
    idle = next((span for span in record.spans if span.name == "idle"), None)
    bars = [bar for bar in bars_of(record.spans) if bar.name != "idle"]
    if idle is not None:
        bars = [
            bar.moved(-idle.duration_ms) if bar.start_ms >= idle.start_ms else bar for bar in bars
        ]
    return waterfall("cold", "Spans of a cold start", bars)


def span_ranges(spans: Mapping[str, Quantiles]) -> str | None:
    """p50, p95 and p99 of each span, as a dot, a bar and a tick."""
    if not spans:
        return None
    with drawing("ranges", "Percentiles of each span", 0.25 * len(spans) + 0.5) as drawn:
        axes = drawn.axes
        name_rows(axes, list(spans))
        for row, span in enumerate(spans.values()):
            axes.plot([span.p50, span.p99], [row, row], color=FIRST, lw=2, alpha=0.35)
            axes.plot([span.p50, span.p95], [row, row], color=FIRST, lw=5, alpha=0.6)
            axes.plot(span.p50, row, "o", color=FIRST)
            axes.plot(span.p99, row, "|", color=FIRST, markersize=10)
        log_axis(axes, "x")
        axes.grid(axis="x")
        axes.set(xlabel="milliseconds: p50 (dot), to p95 (bar), p99 (tick)")
    return drawn.svg


def memory_over_age(revisions: Revisions) -> str:
    """Resident memory of each instance as it grows older."""
    with drawing("memory", "Resident memory by age of the instance") as drawn:
        axes = drawn.axes
        for (name, records), colour in zip(revisions.items(), cycle(SERIES), strict=False):
            instances: dict[str, list[Record]] = defaultdict(list)
            for record in records:
                instances[record.instance].append(record)
            label: str | None = name  # one entry a revision
            for of_instance in instances.values():
                of_instance.sort(key=lambda record: record.age_s)
                shown = of_instance[:: max(1, len(of_instance) // POINTS)]
                ages_min = [record.age_s / 60 for record in shown]
                sizes_mb = [record.rss_mb for record in shown]
                axes.plot(ages_min, sizes_mb, ".-", ms=3, lw=0.8, color=colour, label=label)
                label = None
        legend_above(axes, columns=2)
        axes.set(xlabel="age of the instance, minutes", ylabel="MB resident")
    return drawn.svg
