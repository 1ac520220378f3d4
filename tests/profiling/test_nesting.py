"""Which span is inside which, as the rows say and by their times."""

from __future__ import annotations

import json
from typing import Any

import pytest

from profiling.logs.entry import OtherVersion, read_entry
from profiling.nesting import innermost, read_spans
from tests.profiling.logs.lines import summary_of
from tests.serving import ROOT

FROZEN = ROOT / "tests" / "frozen" / "function.log"
COLD_LINE = json.loads(FROZEN.read_text("utf-8").splitlines()[0])
"""A cold start of format 1: its `load` ran in a thread beside `import_framework`."""
COLD_NESTING = {
    "load": ["import_numpy", "verify", "import_tokenizers", "tokenizer", "import_onnxruntime",
             "session"],
    "request": ["parse", "tokenize", "run", "softmax", "respond"],
    None: ["framework", "wait", "load", "import_framework", "import_handler", "wait", "boot",
           "idle", "request"],
}  # fmt: skip


def row(name: str, start_ms: float, end_ms: float | None, **fields: Any) -> dict[str, Any]:
    duration_ms = None if end_ms is None else end_ms - start_ms
    return {"name": name, "start_ms": start_ms, "duration_ms": duration_ms, **fields}


def nesting(rows: list[dict[str, Any]]) -> dict[str | None, list[str]]:
    """The names inside each span, and at the top under None."""
    spans = read_spans(rows)
    inside: dict[str | None, list[str]] = {}
    for span in spans:
        outer = None if span.parent is None else spans[span.parent].name
        inside.setdefault(outer, []).append(span.name)
    return inside


def with_parents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The frozen cold start as format 2 writes it."""
    names = [row["name"] for row in rows]
    outer = {name: key for key, inside in COLD_NESTING.items() for name in inside}
    parents = [outer[name] and names.index(outer[name]) for name in names]
    return [{**row, "parent": parent} for row, parent in zip(rows, parents, strict=True)]


def test_spans_that_ran_beside_each_other_are_told_apart_by_time() -> None:
    assert nesting(COLD_LINE["profile"]["spans"]) == COLD_NESTING


def test_spans_say_what_they_are_inside_of() -> None:
    assert nesting(with_parents(COLD_LINE["profile"]["spans"])) == COLD_NESTING


@pytest.mark.parametrize("format_", [1, 2])
def test_the_longest_part_of_a_cold_start_is_the_frameworks_import(format_: int) -> None:
    profile = dict(COLD_LINE["profile"])
    if format_ == 2:
        profile["spans"] = with_parents(profile["spans"])
    (slow,) = summary_of([{**COLD_LINE, "profile": profile}]).slowest
    assert (slow.longest, slow.longest_ms) == ("import_framework", 189.183)


def test_what_a_span_says_counts_even_where_times_suggest_another() -> None:
    rows = [
        row("import_framework", 0, 100, parent=None),
        row("load", 1, 99, parent=None),
        row("session", 2, 50, parent=1.0),  # Cloud Logging stores every number as a double
    ]
    assert nesting(rows) == {None: ["import_framework", "load"], "load": ["session"]}
    assert [span.name for span in innermost(read_spans(rows))] == ["import_framework", "session"]


def test_rows_in_any_order_keep_their_parents() -> None:
    rows = [
        row("request", 50, 90, parent=None),
        row("run", 60, 80, parent=0),
        row("boot", 0, 40, parent=None),
    ]
    assert nesting(rows) == {None: ["boot", "request"], "request": ["run"]}


def test_what_an_open_span_holds_belongs_to_the_span_around_it() -> None:
    rows = [
        row("request", 0, 90, parent=None),
        row("load", 10, None, parent=0),
        row("verify", 20, 30, parent=1),
    ]
    assert nesting(rows) == {None: ["request"], "request": ["verify"]}


@pytest.mark.parametrize("parent", [9, 0, "x"])
def test_rows_that_make_no_sense_are_no_request(parent: object) -> None:
    rows = [row("request", 0, None, parent=parent), row("run", 1, 2, parent=0)]
    entry = read_entry({**COLD_LINE, "profile": {**COLD_LINE["profile"], "spans": rows}})
    assert isinstance(entry, OtherVersion)


def test_without_parents_equal_times_nest_in_the_order_of_the_rows() -> None:
    rows = [row("request", 0, 5), row("run", 0, 5), row("respond", 5, 5)]
    assert nesting(rows) == {None: ["request", "respond"], "request": ["run"]}
