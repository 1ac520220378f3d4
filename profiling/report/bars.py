"""What do the bars look like? Waterfalls and rows of bars, drawn from the report's document."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from profiling.render.plot import FIRST, INK, THIRD, beside, drawing, short_ms

Document = dict[str, Any]
FAINT = 0.008
"""Share of the whole below which a span is left out of a waterfall."""


def cold(document: Document) -> str | None:
    """From the start of the process to the first answer."""
    found = document["stages"].get("starts", {}).get("waterfall")
    if not found:
        return None
    spans = [span for span in found["spans"] if span["duration_ms"] is not None]
    last = max((span["start_ms"] + span["duration_ms"] for span in spans), default=0.0)
    shift = found["first_answer_ms"] - last  # the function's clock began at its own first span
    rows = [(span["name"], span["start_ms"] + shift, span["duration_ms"]) for span in spans]
    if min((start for _, start, _ in rows), default=0.0) > found["listening_ms"] / 2:
        rows = [("start, until it listens", 0.0, found["listening_ms"]), *rows]
    return _waterfall("cold", "Waterfall of a cold request", rows)


def warm(document: Document) -> str | None:
    """Inside the median request of one caller."""
    spans = document["stages"].get("single", {}).get("waterfall")
    if not spans:
        return None
    whole = document["stages"]["single"]["p50_ms"] or 0.0
    inside = max(span["duration_ms"] or 0.0 for span in spans)
    shift = max(0.0, (whole - inside) / 2)  # when it arrived is known to neither clock
    rows = [(span["name"], span["start_ms"] + shift, span["duration_ms"] or 0.0) for span in spans]
    caller = [("seen by the caller", 0.0, whole)] if whole else []
    return _waterfall("warm", "Waterfall of a warm request", caller + rows)


def operators(document: Document) -> str | None:
    """Shares of the kinds of operators."""
    kinds = document["stages"].get("operators", {}).get("kinds")
    if not kinds:
        return None
    names = [kind["name"] for kind in kinds]
    with drawing("operators", "Share of time by operator", 0.27 * len(names) + 0.3) as drawn:
        axes = _rows(drawn.axes, names)
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
        axes = _rows(drawn.axes, [str(row["instances"]) for row in rows])
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
        axes = _rows(drawn.axes, [f"after {name}" for name, _ in found])
        sizes = [size for _, size in found]
        axes.barh(range(len(found)), sizes, color=THIRD, height=0.55)
        for place, size in enumerate(sizes):
            beside(axes, size, place, f"{size:.0f} MB")
        axes.set_xlim(0, max(sizes) * 1.2)
        axes.xaxis.set_visible(False)
    return drawn.svg


def _waterfall(name: str, says: str, rows: list[tuple[str, float, float]]) -> str:
    """Rows of (name, start, duration) in milliseconds, one bar below the other."""
    begin = min(start for _, start, _ in rows)
    whole = max(start + duration for _, start, duration in rows) - begin
    rows = [row for row in rows if row[2] >= FAINT * whole]
    with drawing(name, says, 0.25 * len(rows) + 0.5) as drawn:
        axes = _rows(drawn.axes, [title.replace("_", " ") for title, _, _ in rows])
        for place, (_, start, duration) in enumerate(rows):
            around = any(
                other is not rows[place] and start <= other[1] and duration > other[2] and
                other[1] + other[2] <= start + duration + 1e-6
                for other in rows
            )  # fmt: skip
            axes.barh(
                place, duration, left=start, height=0.6, color=FIRST, alpha=0.3 if around else 1
            )
            if start + duration - begin < 0.8 * whole:
                beside(axes, start + duration, place, short_ms(duration))
            elif start - begin > 0.2 * whole:
                beside(axes, start, place, short_ms(duration), away=-4)
            else:
                beside(axes, start + duration, place, short_ms(duration), INK, away=-5)
        axes.set_xlim(begin, begin + whole)
        axes.grid(axis="x")
        axes.set_xlabel("milliseconds")
    return drawn.svg


def _rows(axes: Axes, names: list[str]) -> Axes:
    """Named rows from top to bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="both", length=0)
    return axes
