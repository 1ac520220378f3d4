"""What do the curves look like? Plots of latencies and rates, drawn from the report's document."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from profiling.render.charts import percentile_curve
from profiling.render.plot import (
    BAD,
    FIRST,
    INK,
    MUTED,
    SECOND,
    THIRD,
    beside,
    drawing,
    log_axis,
    short_ms,
)

Document = dict[str, Any]


def latencies(document: Document, run: str, since: str = "due") -> NDArray[np.float64]:
    """Milliseconds of the good answers of one run, from the raw samples."""
    sample = document["samples"].get(run)
    if not sample:
        return np.empty(0)
    good = np.asarray(sample["status"]) == 200
    found: NDArray[np.float64] = (
        np.asarray(sample["done"], float) - np.asarray(sample[since], float)
    )[good]
    return found


def distribution(document: Document) -> str | None:
    """How many answers took how long, at the steady rate."""
    values = latencies(document, "steady")
    if len(values) < 2:
        return None
    with drawing("distribution", "Distribution of latencies at the steady rate") as drawn:
        axes = drawn.axes
        low, high = values.min() * 0.95, values.max() * 1.05
        counts, *_ = axes.hist(
            values, np.geomspace(low, high, 48).tolist(), color=FIRST, alpha=0.85, rwidth=0.9
        )
        log_axis(axes, "x")
        for share, colour, side in ((50, INK, "right"), (99, SECOND, "left")):
            at = float(np.percentile(values, share))
            axes.axvline(at, color=colour, linewidth=1.2, linestyle=(0, (3, 2)))
            axes.text(at, np.max(counts) * 1.14, f"p{share} {short_ms(at)}", ha=side, color=colour)
        axes.set_ylim(0, np.max(counts) * 1.1)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_xlabel("milliseconds from when the request was due")
        axes.set_ylabel("answers")
    return drawn.svg


def curve(document: Document) -> str | None:
    """Latency by percentile; a steep right end is what a few callers suffer."""
    lines = [
        ("one caller", latencies(document, "single"), THIRD),
        ("steady, from sent", latencies(document, "steady", "sent"), SECOND),
        ("steady, from due", latencies(document, "steady"), FIRST),
    ]
    lines = [line for line in lines if len(line[1]) > 1]
    if not lines:
        return None
    return percentile_curve("Latency by percentile", lines)


def rates(document: Document) -> str | None:
    """Throughput against latency, up to where p99 breaks the target."""
    stage = document["stages"].get("steps", {})
    steps = [step for step in stage.get("steps", []) if step["p99_ms"] is not None]
    if not steps:
        return None
    steps.sort(key=lambda step: float(step["throughput"]))
    x = [step["throughput"] for step in steps]
    with drawing("rates", "Latency by throughput") as drawn:
        axes = drawn.axes
        for key, colour in (("p99_ms", SECOND), ("p50_ms", FIRST)):
            y = [step[key] for step in steps]
            axes.plot(x, y, color=colour)
            beside(axes, x[-1], y[-1], key[:3], colour, away=8)
        for step in steps:
            colour = SECOND if step["held"] else BAD
            marker = "o" if step["held"] else "X"
            axes.plot(step["throughput"], step["p99_ms"], marker, color=colour, markersize=6)
        axes.axhline(stage["target_ms"], color=MUTED, linewidth=1, linestyle=(0, (3, 2)))
        axes.annotate(
            f"target {stage['target_ms']:g} ms", (0, stage["target_ms"]), (2, 3),
            xycoords=("axes fraction", "data"), textcoords="offset points",
            color=MUTED, fontsize=8.5,
        )  # fmt: skip
        axes.set_xlim(0, max(x) * 1.12)
        log_axis(axes, "y")
        axes.set_xlabel("answers per second")
        axes.set_ylabel("milliseconds")
    return drawn.svg


def batches(document: Document) -> str | None:
    """Milliseconds per text on the server and in the client."""
    rows = document["stages"].get("batches", {}).get("rows", [])
    rows = [row for row in rows if row["server_ms_per_text"]]
    if not rows:
        return None
    x = [row["texts"] for row in rows]
    with drawing("batches", "Milliseconds per text by batch size") as drawn:
        axes = drawn.axes
        for key, title, colour in (
            ("server_ms_per_text", "server", FIRST),
            ("client_cpu_ms_per_text", "client", SECOND),
        ):
            y = [row[key] for row in rows]
            axes.plot(x, y, "o-", color=colour, markersize=4.5)
            beside(axes, x[-1], y[-1], title, colour, away=7)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(x))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlim(x[0] * 0.85, x[-1] * 2.2)
        log_axis(axes, "y")
        axes.set_xlabel("texts in a request")
        axes.set_ylabel("milliseconds per text")
    return drawn.svg
