"""The log as a page: one file of HTML that needs no network, with plots and tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from profiling.logs import log_tables
from profiling.logs.entry import Record
from profiling.logs.source import Log
from profiling.logs.summary import Quantiles, RevisionSummary
from profiling.render.charts import bars_of, percentile_curve, waterfall
from profiling.render.page import render
from profiling.render.plot import FIRST, SERIES, drawing, legend_above, log_axis, name_rows

if TYPE_CHECKING:
    from profiling.logs.comparison import Comparison

Revisions = Mapping[str, Sequence[Record]]
POINTS = 500
"""At most so many points are drawn of an instance."""


def write_page(
    target: Path, log: Log, summaries: Sequence[RevisionSummary], comparison: Comparison | None
) -> None:
    """Write the page; raises OSError."""
    records = {
        summary.revision: [record for record in log.records if record.revision == summary.revision]
        for summary in summaries
    }
    page = render(
        Path(__file__).with_suffix(".html"),
        tables=log_tables,
        summaries=summaries,
        comparison=comparison,
        latencies=latencies(records),
        memory=memory_over_age(records),
        ranges={summary.revision: span_ranges(summary.spans_ms) for summary in summaries},
        cold={name: median_cold_start(entries) for name, entries in records.items()},
    )
    target.write_text(page, encoding="utf-8")


def latencies(revisions: Revisions) -> Markup | None:
    """Latency of warm predictions by percentile."""
    lines = [
        (name, np.array(durations_ms), colour)
        for (name, records), colour in zip(revisions.items(), cycle(SERIES), strict=False)
        if len(durations_ms := [record.duration_ms for record in records if record.warm]) > 1
    ]
    return percentile_curve("Latency of warm predictions by percentile", lines) if lines else None


def median_cold_start(records: Sequence[Record]) -> Markup | None:
    """The spans of the median cold start, without the wait for a request."""
    starts = [record for record in records if record.paid_cold_start]
    if not starts:
        return None
    starts.sort(key=lambda record: record.start_to_answer_ms)
    spans = starts[len(starts) // 2].spans
    idle = [span for span in spans if span.name == "idle"]
    bars = [
        bar.moved(-sum(span.duration_ms for span in idle if span.end_ms <= bar.start_ms))
        for bar in bars_of(spans)
        if bar.name != "idle"
    ]
    return waterfall("cold", "Spans of a cold start", bars)


def span_ranges(spans: Mapping[str, Quantiles]) -> Markup | None:
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


def memory_over_age(revisions: Revisions) -> Markup | None:
    """Resident memory of each instance as it grows older."""
    if not any(revisions.values()):
        return None
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
