"""What do the bars look like? Waterfalls and rows of bars, drawn from the report's document."""

from __future__ import annotations

from typing import Any

from profiling.logs.nesting import read_spans
from profiling.render.charts import Bar, bars_of, waterfall
from profiling.render.plot import FIRST, THIRD, beside, drawing, name_rows, short_ms

Document = dict[str, Any]


def cold(document: Document) -> str | None:
    """From the start of the process to the first answer."""
    found = document["stages"].get("starts", {}).get("waterfall")
    if not found:
        return None
    spans = read_spans(found["spans"])
    last_ms = max((span.end_ms for span in spans), default=0.0)
    shift_ms = found["first_answer_ms"] - last_ms  # the function's clock began at its first span
    bars = [bar.moved(shift_ms) for bar in bars_of(spans)]
    if min((bar.start_ms for bar in bars), default=0.0) > found["listening_ms"] / 2:
        bars = [Bar("start, until it listens", 0.0, found["listening_ms"]), *bars]
    return waterfall("cold", "Waterfall of a cold request", bars)


def warm(document: Document) -> str | None:
    """Inside the median request of one caller."""
    rows = document["stages"].get("single", {}).get("waterfall")
    if not rows:
        return None
    spans = read_spans(rows)
    whole_ms = document["stages"]["single"]["p50_ms"] or 0.0
    inside_ms = max(span.duration_ms for span in spans)
    # When the request arrived is known to neither clock: it is drawn in the middle.
    shift_ms = max(0.0, (whole_ms - inside_ms) / 2)
    bars = [bar.moved(shift_ms) for bar in bars_of(spans)]
    if whole_ms:
        bars = [Bar("seen by the caller", 0.0, whole_ms, holds_others=True), *bars]
    return waterfall("warm", "Waterfall of a warm request", bars)


def operators(document: Document) -> str | None:
    """Shares of the kinds of operators."""
    kinds = document["stages"].get("operators", {}).get("kinds")
    if not kinds:
        return None
    names = [kind["name"] for kind in kinds]
    with drawing("operators", "Share of time by operator", 0.27 * len(names) + 0.3) as drawn:
        axes = drawn.axes
        name_rows(axes, names)
        shares = [100 * kind["share"] for kind in kinds]
        axes.barh(range(len(names)), shares, color=FIRST, height=0.62)
        for place, kind in enumerate(kinds):
            beside(axes, shares[place], place, f"{shares[place]:.0f} %, {kind['us']:.0f} µs")
        axes.set_xlim(0, max(shares) * 1.3)
        axes.xaxis.set_visible(False)
    return drawn.svg


def instances(document: Document) -> str | None:
    """Throughput by number of instances."""
    rows = document["stages"].get("instances", {}).get("rows")
    if not rows:
        return None
    with drawing("instances", "Throughput by number of instances", 1.5) as drawn:
        axes = drawn.axes
        name_rows(axes, [str(row["instances"]) for row in rows])
        axes.barh(range(len(rows)), [row["throughput"] for row in rows], color=FIRST, height=0.55)
        for place, row in enumerate(rows):
            p99 = f", p99 {short_ms(row['p99_ms'])}" if row["p99_ms"] is not None else ""
            beside(axes, row["throughput"], place, f"{row['throughput']:.0f} /s{p99}")
        axes.set_xlim(0, max(row["throughput"] for row in rows) * 1.55 or 1)
        axes.xaxis.set_visible(False)
        axes.set_ylabel("instances")
    return drawn.svg


def memory(document: Document) -> str | None:
    """What the server held after each stage."""
    found = [
        (name, stage["server_memory_mb"])
        for name, stage in document["stages"].items()
        if stage.get("server_memory_mb") is not None
    ]
    if not found:
        return None
    with drawing("memory", "Memory after each stage", 0.24 * len(found) + 0.3) as drawn:
        axes = drawn.axes
        name_rows(axes, [f"after {name}" for name, _ in found])
        sizes = [size for _, size in found]
        axes.barh(range(len(found)), sizes, color=THIRD, height=0.55)
        for place, size in enumerate(sizes):
            beside(axes, size, place, f"{size:.0f} MB")
        axes.set_xlim(0, max(sizes) * 1.2)
        axes.xaxis.set_visible(False)
    return drawn.svg
