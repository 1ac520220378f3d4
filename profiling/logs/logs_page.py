"""The log as a page: one file of HTML that needs no network, with plots and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from profiling.logs import log_tables
from profiling.logs.selection import Requests
from profiling.logs.source import Log
from profiling.logs.summary import Quantiles, RevisionSummary
from profiling.render.charts import bars_of, percentile_curve, waterfall
from profiling.render.page import render
from profiling.render.plot import FIRST, SERIES, drawing, legend_above, log_axis, name_rows

if TYPE_CHECKING:
    from profiling.logs.comparison import Comparison
    from profiling.logs.drift import Drift

Revisions = Mapping[str, Requests]
INSTANCES = 400
"""About so many instances are drawn at most, evenly picked."""
POINTS, POINTS_IN_ALL = 500, 20_000
"""About so many points are drawn at most, of an instance and of all."""


def write_page(
    target: Path,
    log: Log,
    summaries: Sequence[RevisionSummary],
    comparison: Comparison | None,
    drifts: Sequence[Drift] = (),
) -> None:
    """Write the page; raises OSError."""
    from profiling.logs import drift_tables  # imports scipy

    requests = {
        summary.revision: log.requests.of_revision(summary.revision) for summary in summaries
    }
    page = render(
        Path(__file__).with_suffix(".html"),
        tables=log_tables,
        summaries=summaries,
        comparison=comparison,
        drift_tables=drift_tables,
        drifts=drifts,
        other_version=log.other_version,
        latencies=latencies(requests),
        memory=memory_over_age(requests),
        ranges={summary.revision: span_ranges(summary.spans_ms) for summary in summaries},
        cold={name: median_cold_start(of_revision) for name, of_revision in requests.items()},
    )
    target.write_text(page, encoding="utf-8")


def latencies(revisions: Revisions) -> Markup | None:
    """Latency of warm predictions by percentile."""
    lines = [
        (name, durations_ms, colour)
        for (name, requests), colour in zip(revisions.items(), cycle(SERIES), strict=False)
        if (durations_ms := requests["duration_ms"][requests["warm"]]).size > 1
    ]
    return percentile_curve("Latency of warm predictions by percentile", lines) if lines else None


def median_cold_start(requests: Requests) -> Markup | None:
    """The spans of the median cold start, without the wait for a request."""
    starts = requests.where(requests["paid_cold_start"])
    if not len(starts):
        return None
    order = np.argsort(starts["start_to_answer_ms"], kind="stable")
    spans = starts.spans_of(int(order[len(starts) // 2]))
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
    if not any(map(len, revisions.values())):
        return None
    instances = sum(requests.instances for requests in revisions.values())
    step = math.ceil(instances / INSTANCES)
    points = min(POINTS, POINTS_IN_ALL * step // instances)
    with drawing("memory", "Resident memory by age of the instance") as drawn:
        axes = drawn.axes
        for (name, requests), colour in zip(revisions.items(), cycle(SERIES), strict=False):
            columns = (requests.by_instance(requests[column]) for column in ("age_s", "rss_mb"))
            label: str | None = name  # one entry a revision
            for ages_s, sizes_mb in list(zip(*columns, strict=True))[::step]:
                order = np.argsort(ages_s, kind="stable")[:: max(1, len(ages_s) // points)]
                line = ages_s[order] / 60, sizes_mb[order]
                axes.plot(*line, ".-", ms=3, lw=0.8, color=colour, label=label)
                label = None
        legend_above(axes, columns=3)
        axes.set(xlabel="age of the instance, minutes", ylabel="MB resident")
    return drawn.svg
