"""What does the report say, to people? One HTML file that needs nothing else, from the document.

The plots are here, the words in page.html. A plot is None where what it shows was not measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from profiling.nesting import read_spans
from profiling.percentiles import percentile
from profiling.render import plot
from profiling.render.charts import Bar, bars_of, percentile_curve, waterfall
from profiling.render.page import render
from profiling.report.document import Document, latencies


def page(document: Document) -> str:
    """The whole page; what was not measured is left out of it."""
    plots = (distribution, curve, rates, batches, cold, warm, operators, memory)
    return render(
        Path(__file__).with_name("page.html"),
        figures={draw.__name__: draw(document) for draw in plots},
        good=lambda name: name in document["stages"] and "error" not in document["stages"][name],
        **document,
    )


def distribution(document: Document) -> Markup | None:
    """How many answers took how long, at the steady rate."""
    values = latencies(document, "steady")
    if len(values) < 2:
        return None
    with plot.drawing("distribution", "Distribution of latencies at the steady rate") as drawn:
        axes = drawn.axes
        low, high = values.min() * 0.95, values.max() * 1.05
        counts, *_ = axes.hist(
            values, np.geomspace(low, high, 48).tolist(), color=plot.FIRST, alpha=0.85, rwidth=0.9
        )
        plot.log_axis(axes, "x")
        for percent, colour, side in ((50, plot.INK, "right"), (99, plot.SECOND, "left")):
            ms = percentile(values, percent)
            axes.axvline(ms, color=colour, linewidth=1.2, linestyle=(0, (3, 2)))
            label = f"p{percent} {plot.short_ms(ms)}"
            axes.text(ms, np.max(counts) * 1.14, label, ha=side, color=colour)
        axes.set_ylim(0, np.max(counts) * 1.1)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set(xlabel="milliseconds from when the request was due", ylabel="answers")
    return drawn.svg


def curve(document: Document) -> Markup | None:
    """Latency by percentile; a steep right end is what a few callers suffer."""
    lines = [
        ("one caller", latencies(document, "single"), plot.THIRD),
        ("steady, from sent", latencies(document, "steady", "sent"), plot.SECOND),
        ("steady, from due", latencies(document, "steady"), plot.FIRST),
    ]
    lines = [line for line in lines if len(line[1]) > 1]
    return percentile_curve("Latency by percentile", lines) if lines else None


def rates(document: Document) -> Markup | None:
    """Throughput against latency, up to where p99 breaks the target."""
    stage = document["stages"].get("steps", {})
    steps = [step for step in stage.get("steps", []) if step["p99_ms"] is not None]
    if not steps:
        return None
    steps.sort(key=lambda step: float(step["throughput"]))
    x = [step["throughput"] for step in steps]
    with plot.drawing("rates", "Latency by throughput") as drawn:
        axes = drawn.axes
        for key, colour in (("p99_ms", plot.SECOND), ("p50_ms", plot.FIRST)):
            y = [step[key] for step in steps]
            axes.plot(x, y, color=colour)
            plot.beside(axes, x[-1], y[-1], key[:3], colour, away=8)
        for step in steps:
            colour = plot.SECOND if step["held"] else plot.BAD
            marker = "o" if step["held"] else "X"
            axes.plot(step["throughput"], step["p99_ms"], marker, color=colour, markersize=6)
        axes.axhline(stage["target_ms"], color=plot.MUTED, linewidth=1, linestyle=(0, (3, 2)))
        axes.annotate(
            f"target {stage['target_ms']:g} ms", (0, stage["target_ms"]), (2, 3),
            xycoords=("axes fraction", "data"), textcoords="offset points",
            color=plot.MUTED, fontsize=8.5,
        )  # fmt: skip
        axes.set_xlim(0, max(x) * 1.12)
        plot.log_axis(axes, "y")
        axes.set(xlabel="answers per second", ylabel="milliseconds")
    return drawn.svg


def batches(document: Document) -> Markup | None:
    """Milliseconds per text on the server and in the client."""
    rows = document["stages"].get("batches", {}).get("rows", [])
    rows = [row for row in rows if row["server_ms_per_text"]]
    if not rows:
        return None
    x = [row["texts"] for row in rows]
    with plot.drawing("batches", "Milliseconds per text by batch size") as drawn:
        axes = drawn.axes
        for key, title, colour in (
            ("server_ms_per_text", "server", plot.FIRST),
            ("client_cpu_ms_per_text", "client", plot.SECOND),
        ):
            y = [row[key] for row in rows]
            axes.plot(x, y, "o-", color=colour, markersize=4.5)
            plot.beside(axes, x[-1], y[-1], title, colour, away=7)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(x))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlim(x[0] * 0.85, x[-1] * 2.2)
        plot.log_axis(axes, "y")
        axes.set(xlabel="texts in a request", ylabel="milliseconds per text")
    return drawn.svg


def cold(document: Document) -> Markup | None:
    """From the start of the process to the first answer."""
    start = document["stages"].get("starts", {}).get("waterfall")
    bars = bars_of(read_spans(start["spans"])) if start else []
    if not bars:
        return None
    # The function's clock began at its first span.
    shift_ms = start["first_answer_ms"] - max(bar.end_ms for bar in bars)
    bars = [bar.moved(shift_ms) for bar in bars]
    if min(bar.start_ms for bar in bars) > start["listening_ms"] / 2:
        bars = [Bar("start, until it listens", 0.0, start["listening_ms"]), *bars]
    return waterfall("cold", "Waterfall of a cold request", bars)


def warm(document: Document) -> Markup | None:
    """Inside the median request of one caller."""
    single = document["stages"].get("single", {})
    if not single.get("waterfall"):
        return None
    bars = bars_of(read_spans(single["waterfall"]))
    whole_ms = single["p50_ms"] or 0.0
    # When the request arrived is known to neither clock: it is drawn in the middle.
    shift_ms = max(0.0, (whole_ms - max(bar.duration_ms for bar in bars)) / 2)
    bars = [bar.moved(shift_ms) for bar in bars]
    if whole_ms:
        bars = [Bar("seen by the caller", 0.0, whole_ms, holds_others=True), *bars]
    return waterfall("warm", "Waterfall of a warm request", bars)


def operators(document: Document) -> Markup | None:
    """Shares of the kinds of operators."""
    rows = [
        (kind["name"], kind["share"], f"{100 * kind['share']:.0f} %, {kind['us']:.0f} µs")
        for kind in document["stages"].get("operators", {}).get("kinds", [])
    ]
    return _row_bars("operators", "Share of time by operator", rows, plot.FIRST)


def memory(document: Document) -> Markup | None:
    """Memory of the server after each probe."""
    rows = [
        (f"after {name}", result["server_memory_mb"], f"{result['server_memory_mb']:.0f} MB")
        for name, result in document["stages"].items()
        if "server_memory_mb" in result
    ]
    return _row_bars("memory", "Memory after each probe", rows, plot.THIRD)


def _row_bars(
    name: str, description: str, rows: list[tuple[str, float, str]], colour: str
) -> Markup | None:
    """Horizontal bars of (title, length, label), one below the other."""
    if not rows:
        return None
    titles, lengths, labels = zip(*rows, strict=True)
    with plot.drawing(name, description, 0.26 * len(rows) + 0.3) as drawn:
        axes = drawn.axes
        plot.name_rows(axes, list(titles))
        axes.barh(range(len(rows)), lengths, color=colour, height=0.6)
        for row, (length, label) in enumerate(zip(lengths, labels, strict=True)):
            plot.beside(axes, length, row, label)
        axes.set_xlim(0, max(lengths) * 1.3)
        axes.xaxis.set_visible(False)
    return drawn.svg
