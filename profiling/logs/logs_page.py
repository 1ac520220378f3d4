"""The same as a page: one file of HTML that needs no network, with plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from profiling.logs import log_plots, log_tables
from profiling.logs.comparison import Comparison
from profiling.logs.entry import Record
from profiling.logs.source import Log
from profiling.logs.summary import RevisionSummary
from profiling.render.page import render


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
        curve=_markup(log_plots.latencies(records)),
        memory=_markup(log_plots.memory_over_age(records) if log.records else None),
        ranges={
            summary.revision: _markup(log_plots.span_ranges(summary.spans_ms))
            for summary in summaries
        },
        cold={name: _markup(_median_cold_start(of_name)) for name, of_name in records.items()},
    )
    target.write_text(page, encoding="utf-8")


def _median_cold_start(records: Sequence[Record]) -> str | None:
    starts = [record for record in records if record.paid_cold_start]
    starts.sort(key=lambda record: record.start_to_answer_ms)
    return log_plots.cold_start(starts[len(starts) // 2]) if starts else None


def _markup(svg: str | None) -> Markup | None:
    return None if svg is None else Markup(svg)
