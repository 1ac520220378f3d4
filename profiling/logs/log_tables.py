"""The summary and the comparison as tables: rows of strings, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from profiling.logs.summary import Quantiles, RevisionSummary
from tables.text import aligned

if TYPE_CHECKING:
    from profiling.logs.comparison import Comparison

FEW = 100
"""With fewer values a p99 is next to the maximum."""
Rows = list[list[str]]
"""A table, its first row the header; empty where there is nothing to show."""


def revision_text(summary: RevisionSummary) -> str:
    """Everything about one revision, for the terminal."""
    period = f", {moment(summary.since)} to {moment(summary.until)}" if summary.since else ""
    instances = "1 instance" if summary.instances == 1 else f"{summary.instances} instances"
    faults = [f", {n} {name}" for name, n in fault_counts(summary).items()]
    counts = f"{summary.requests} requests, {summary.predictions} predictions, {instances}"
    cold = summary.cold_starts
    waited = f", {cold.waited} more waited for one" if cold.waited else ""
    return "\n".join([
        f"revision {summary.revision}: {counts}{''.join(faults)}{period}",
        "",
        *_section("warm predictions, ms", quantile_rows(summary.spans_ms)),
        *_section(
            f"cold starts: {cold.n}, {cold.share:.2%} of the answers{waited}; ms",
            quantile_rows({"start to answer": cold.start_to_answer_ms, **cold.spans_ms}),
        ),
        *_section("slowest predictions", slow_rows(summary)),
        *_section("resident memory by age of the instance", memory_rows(summary)),
        *_section(error_title(summary), error_rows(summary)),
    ])  # fmt: skip


def fault_counts(summary: RevisionSummary) -> dict[str, int]:
    """What should not have happened, by name; nothing where it did not."""
    counts = {"restarts": summary.restarts, "lines lost": summary.lines_lost}
    return {name: n for name, n in counts.items() if n}


def other_version_text(lines: int) -> str:
    """How many lines are in none of the tables."""
    subject = "1 line is" if lines == 1 else f"{lines} lines are"
    return f"{subject} from another version of the function, or damaged, and not counted"


def comparison_text(comparison: Comparison) -> str:
    """The verdict first, then what it rests on."""
    title = f"{comparison.a} (A) against {comparison.b} (B)"
    notes = [f"({note})" for note in comparison.notes]
    return "\n".join(
        [comparison.verdict, *notes, "", *_section(title, comparison_rows(comparison))]
    )


def quantile_rows(spans: Mapping[str, Quantiles | None]) -> Rows:
    """A row per span; `~` marks a p99 of few values."""
    rows = [["", "n", "p50", "p95", "p99", "max"]]
    for name, value in spans.items():
        if value is not None:
            weak = "~" if value.n < FEW else ""
            numbers = [ms(value.p50), ms(value.p95), weak + ms(value.p99), ms(value.max)]
            rows.append([name, str(value.n), *numbers])
    return _unless_empty(rows)


def slow_rows(summary: RevisionSummary) -> Rows:
    rows = [["ms", "when", "", "texts", "tokens", "most of it", "trace"]]
    for slow in summary.slowest:
        longest = f"{slow.longest} {ms(slow.longest_ms)}" if slow.longest else "not recorded"
        state = "restart" if slow.cold and slow.restart else "cold" if slow.cold else "warm"
        when = [moment(slow.time), state]
        size = [str(slow.texts), str(slow.tokens)]
        rows.append([ms(slow.duration_ms), *when, *size, longest, slow.trace or "none"])
    return _unless_empty(rows)


def memory_rows(summary: RevisionSummary) -> Rows:
    rows = [["age", "requests", "instances", "p50 MB", "max MB"]]
    for band in summary.memory:
        counts = [str(band.n), str(band.instances)]
        rows.append([band.age, *counts, f"{band.p50_mb:.1f}", f"{band.max_mb:.1f}"])
    return _unless_empty(rows)


def comparison_rows(comparison: Comparison) -> Rows:
    rows = [["", "A", "B", "n A", "n B", "change, interval", "verdict"]]
    for row in comparison.rows:
        values = [ms(row.a), ms(row.b), str(row.n_a), str(row.n_b)]
        rows.append([f"{row.measure}, {row.unit}", *values, row.interval or "-", row.verdict])
    return _unless_empty(rows)


def error_title(summary: RevisionSummary) -> str:
    errors = summary.errors
    other = f", {errors.other} outside requests" if errors.other else ""
    return (
        f"errors: {errors.requests_5xx} of the server ({errors.share_5xx:.2%}), "
        f"{errors.requests_4xx} of clients{other}"
    )


def error_rows(summary: RevisionSummary) -> Rows:
    """How often each message came; without a header."""
    return [[f"{n}x", message] for message, n in summary.errors.messages.items()]


def ms(value: float | None) -> str:
    """Three digits or so, in columns that line up."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def moment(time: str | None) -> str:
    """To the second."""
    return "-" if time is None else time[:19].replace("T", " ")


def _unless_empty(rows: Rows) -> Rows:
    return rows if len(rows) > 1 else []


def _section(title: str, rows: Rows) -> list[str]:
    return [title, *(f"  {line}" for line in aligned(rows)), ""]
