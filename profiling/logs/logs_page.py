"""The same as a page: one file of HTML that needs no network, with plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from profiling.logs import plots
from profiling.logs.comparison import Comparison
from profiling.logs.entry import Record
from profiling.logs.source import Log
from profiling.logs.summary import Revision
from profiling.logs.text import (
    comparison_rows,
    error_title,
    memory_rows,
    moment,
    ms,
    quantile_rows,
    slow_rows,
)

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem;
  background: Canvas; color: CanvasText; }
h1, h2, h3 { line-height: 1.2; } h2 { border-top: 1px solid var(--line); padding-top: 1rem; }
.verdict { font-size: 1.15rem; background: var(--soft); padding: .8rem 1rem; border-radius: .5rem; }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 34rem; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
td, th { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; }
.tiles div { background: var(--soft); border-radius: .5rem; padding: .5rem .9rem; }
.tiles b { display: block; font-size: 1.4rem; }
"""


def write_page(
    target: Path, log: Log, revisions: Sequence[Revision], comparison: Comparison | None
) -> None:
    """Write the page; raises OSError."""
    records = {
        it.revision: [r for r in log.records if r.revision == it.revision] for it in revisions
    }
    body = ["<h1>What the function did</h1>"]
    if comparison is not None:
        body += _comparison(comparison)
    body += _figure("Latency of warm predictions", plots.percentile_curve(records))
    for revision in revisions:
        body += _revision(revision, records[revision.revision])
    if log.records:
        body += _figure("Memory over the age of instances", plots.memory_over_age(records))
    target.write_text(
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>What the function did</title>\n<style>{STYLE}</style>\n"
        + "\n".join(body)
        + "\n</html>\n",
        encoding="utf-8",
    )


def _comparison(it: Comparison) -> list[str]:
    notes = "".join(f"<br><small>{escape(note)}</small>" for note in it.notes)
    return [
        f'<p class="verdict">{escape(it.verdict)}{notes}</p>',
        *_table(f"{it.a} (A) against {it.b} (B)", comparison_rows(it)),
    ]


def _revision(it: Revision, records: Sequence[Record]) -> list[str]:
    cold = it.cold_starts
    parts = [f"<h2>Revision {escape(it.revision)}</h2>"]
    if it.since:
        parts.append(f"<p>{moment(it.since)} to {moment(it.until)} UTC</p>")
    tiles = {
        "predictions": str(it.predictions),
        "instances": str(it.instances),
        "warm p50, ms": ms(it.warm_ms.p50 if it.warm_ms else None),
        "warm p99, ms": ms(it.warm_ms.p99 if it.warm_ms else None),
        "cold starts": f"{cold.n} ({cold.share:.2%})",
        "start to answer p50, ms": ms(
            cold.start_to_answer_ms.p50 if cold.start_to_answer_ms else None
        ),
        "server errors": f"{it.errors.requests_5xx + it.errors.other}",
    }
    parts.append('<div class="tiles">')
    parts += [f"<div><b>{escape(value)}</b>{name}</div>" for name, value in tiles.items()]
    parts.append("</div>")
    parts += _figure("Spans of a warm prediction", plots.span_ranges(it.spans_ms))
    parts += _table("", quantile_rows(it.spans_ms))
    starts = sorted(
        (record for record in records if record.started),
        key=lambda record: record.start_to_answer_ms,
    )
    if starts:
        middle = starts[len(starts) // 2]
        parts += _figure("A cold start: the median one", plots.waterfall(middle))
        parts += _table("", quantile_rows(cold.spans_ms))
    parts += _table("Slowest predictions", slow_rows(it))
    parts += _table("Resident memory by age", memory_rows(it))
    counted = [["", "n"], *([text, str(n)] for text, n in it.errors.messages.items())]
    parts += _table(error_title(it).capitalize(), counted if it.errors.messages else [])
    return parts


def _figure(title: str, svg: str | None) -> list[str]:
    return [f"<h3>{escape(title)}</h3>", f'<div class="wide">{svg}</div>'] if svg else []


def _table(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    heading = [f"<h3>{escape(title)}</h3>"] if title else []
    if not rows:
        return heading
    head, *body = rows
    lines = [f"<tr>{_cells(head, 'th')}</tr>", *(f"<tr>{_cells(row, 'td')}</tr>" for row in body)]
    return [*heading, f'<div class="wide"><table>{"".join(lines)}</table></div>']


def _cells(row: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag}>{_linked(cell)}</{tag}>" for cell in row)


def _linked(cell: str) -> str:
    text = escape(cell)
    return f'<a href="{text}">trace</a>' if cell.startswith("https://") else text
