"""Answers over time as tables: rows of strings, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from profiling.logs.answer_fields import BINS, KNOWN
from profiling.logs.drift import CHANGED, Drift, DriftRow
from tables.text import aligned

CATEGORIES = 4
"""Shown of each topic, the most frequent; --json has all."""
MOST_CHANGES = 10
LARGEST = 3
"""Changes of shares that are told of one comparison."""
Rows = list[list[str]]


def drift_text(drift: Drift) -> str:
    """Everything about one table, for the terminal."""
    tables = [share_rows(drift), verdict_rows(drift)]
    return "\n".join([
        f"{drift.title}: {drift.verdict}",
        *(f"  {change}" for change in changes(drift)),
        *(f"({note})" for note in drift.notes),
        *(line for table in tables if table for line in ["", *aligned(table)]),
        "",
    ])  # fmt: skip


def changes(drift: Drift) -> list[str]:
    """What changed, the most first, as sentences."""
    moved = {
        _sentence(row): row.shift.moved
        for row in drift.rows
        if row.verdict == CHANGED and row.shift is not None
    }
    sentences = sorted(moved, key=lambda sentence: -moved[sentence])
    left_out = len(sentences) - MOST_CHANGES
    return sentences[:MOST_CHANGES] + ([f"and {left_out} more"] if left_out > 0 else [])


def share_rows(drift: Drift) -> Rows:
    """The share of each category in each column, in percent."""
    rows = [["shares, %", *drift.columns], ["requests", *map(str, drift.requests)]]
    rows.append(["texts", *map(str, drift.texts)])
    for topic, of_topic in groupby(drift.shares, key=lambda row: row.topic):
        shown = [row for row in of_topic if row.category != KNOWN][:CATEGORIES]
        if all(row.category in BINS for row in shown):
            shown.sort(key=lambda row: row.category)
        for row in shown:
            cells = ["-" if share is None else f"{100 * share:.1f}" for share in row.shares]
            rows.append([f"{topic}: {row.category}", *cells])
    return rows


def verdict_rows(drift: Drift) -> Rows:
    """The verdict of each topic in each column, against each reference."""
    columns = [name for name in drift.columns if any(row.column == name for row in drift.rows)]
    if not columns:
        return []
    rows = [["against", "", *columns]]
    keys = dict.fromkeys((row.reference, row.topic) for row in drift.rows)
    for reference, topic in keys:
        verdicts = {
            row.column: row.verdict
            for row in drift.rows
            if (row.reference, row.topic) == (reference, topic)
        }
        rows.append([reference, topic, *(verdicts.get(column, "-") for column in columns)])
    return rows


def _sentence(row: DriftRow) -> str:
    assert row.shift is not None
    shares = ", ".join(_shares(row))
    moved = f"{100 * row.shift.moved:.1f}% moved"
    return (
        f"{row.topic}, {row.column} against {row.reference}: {moved}{': ' * bool(shares)}{shares}"
    )


def _shares(row: DriftRow) -> Iterator[str]:
    assert row.shift is not None
    told = [change for change in row.shift.changes if change.category != KNOWN]
    for change in told[:LARGEST]:
        points = f"{100 * change.low:+.1f} to {100 * change.high:+.1f} points"
        yield f"{change.category} {100 * change.a:.1f}% to {100 * change.b:.1f}% ({points})"
