"""The log as plots: SVG to stand in a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np

from profiling.logs.entry import Record
from profiling.logs.summary import Quantiles
from profiling.render.charts import bars_of, percentile_curve, waterfall
from profiling.render.plot import FIRST, SERIES, drawing, legend_above, log_axis, name_rows

Revisions = Mapping[str, Sequence[Record]]
POINTS = 500
"""At most so many points are drawn of an instance."""


def latencies(revisions: Revisions) -> str | None:
    """Latency of warm predictions by percentile."""
    lines = [
        (name, np.array([record.duration_ms for record in records if record.warm]), colour)
        for (name, records), colour in zip(revisions.items(), cycle(SERIES), strict=False)
    ]
    lines = [line for line in lines if len(line[1]) > 1]
    return percentile_curve("Latency of warm predictions by percentile", lines) if lines else None


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
        legend_above(axes, columns=3)
        axes.set(xlabel="age of the instance, minutes", ylabel="MB resident")
    return drawn.svg
