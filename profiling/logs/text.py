"""The summary and the comparison as tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from profiling.logs.comparison import Comparison, spread
from profiling.logs.summary import Quantiles, Revision

FEW = 100
"""With fewer values a p99 is next to the maximum."""


def revision_text(it: Revision) -> str:
    """Everything about one revision."""
    lines = [f"revision {it.revision}: {_scope(it)}", ""]
    lines += _section("warm predictions, ms", quantile_rows(it.spans_ms))
    cold = it.cold_starts
    total = {"start to answer": cold.start_to_answer_ms} if cold.start_to_answer_ms else {}
    waited = f", {cold.waited} more waited for one" if cold.waited else ""
    title = f"cold starts: {cold.n}, {cold.share:.2%} of the answers{waited}; ms"
    lines += _section(title, quantile_rows({**total, **cold.spans_ms}))
    lines += _section("slowest predictions", slow_rows(it))
    lines += _section("resident memory by age of the instance", memory_rows(it))
    lines += _section(error_title(it), [[f"{n}x", text] for text, n in it.errors.messages.items()])
    return "\n".join(lines)


def comparison_text(it: Comparison) -> str:
    """The verdict first, then what it rests on."""
    lines = [it.verdict, *(f"({note})" for note in it.notes), ""]
    lines += _section(f"{it.a} (A) against {it.b} (B)", comparison_rows(it))
    return "\n".join(lines)


def quantile_rows(spans: Mapping[str, Quantiles | None]) -> list[list[str]]:
    """A header, and a row per span; `~` marks a p99 of few values."""
    rows = [["", "n", "p50", "p95", "p99", "max"]]
    for name, found in spans.items():
        if found is not None:
            weak = "~" if found.n < FEW else ""
            numbers = [ms(found.p50), ms(found.p95), weak + ms(found.p99), ms(found.max)]
            rows.append([name, str(found.n), *numbers])
    return rows if len(rows) > 1 else []


def slow_rows(it: Revision) -> list[list[str]]:
    rows = [["ms", "when", "", "texts", "tokens", "most of it", "trace"]]
    for slow in it.slowest:
        most = f"{slow.longest} {ms(slow.longest_ms)}" if slow.longest else "not recorded"
        cold = "cold" if slow.cold else "warm"
        size = [str(slow.texts), str(slow.tokens)]
        rows.append(
            [ms(slow.duration_ms), moment(slow.time), cold, *size, most, slow.trace or "none"]
        )
    return rows if len(rows) > 1 else []


def memory_rows(it: Revision) -> list[list[str]]:
    rows = [["age", "requests", "instances", "p50 MB", "max MB"]]
    for band in it.memory:
        counts = [str(band.n), str(band.instances)]
        rows.append([band.age, *counts, f"{band.p50_mb:.1f}", f"{band.max_mb:.1f}"])
    return rows if len(rows) > 1 else []


def comparison_rows(it: Comparison) -> list[list[str]]:
    rows = [["", "A", "B", "n A", "n B", "change, interval", "verdict"]]
    for row in it.rows:
        values = [ms(row.a), ms(row.b), str(row.n_a), str(row.n_b)]
        rows.append([f"{row.measure}, {row.unit}", *values, spread(row) or "-", row.verdict])
    return rows if len(rows) > 1 else []


def error_title(it: Revision) -> str:
    errors = it.errors
    other = f", {errors.other} outside requests" if errors.other else ""
    return (
        f"errors: {errors.requests_5xx} of the server ({errors.share_5xx:.2%}), "
        f"{errors.requests_4xx} of clients{other}"
    )


def ms(value: float | None) -> str:
    """Three digits or so."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def moment(time: str | None) -> str:
    """To the second."""
    return "-" if time is None else time[:19].replace("T", " ")


def _scope(it: Revision) -> str:
    period = f", {moment(it.since)} to {moment(it.until)}" if it.since else ""
    instances = "1 instance" if it.instances == 1 else f"{it.instances} instances"
    return f"{it.requests} requests, {it.predictions} predictions, {instances}{period}"


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return [title, *(f"  {line}" for line in aligned(rows)), ""]


def aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Columns of numbers flush right, others flush left; the last is as wide as it is."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [all(_number(cell) for cell in column[1:]) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _number(cell: str) -> bool:
    return cell == "-" or cell.lstrip("~").replace(".", "", 1).isdecimal()
