"""Lines and LogEntries, summed up."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiling.logs.entry import Failure, OtherVersion, Record, read_entry
from profiling.logs.selection import moment_of
from profiling.logs.source import Log, SourceError, Window, gather, read_file
from profiling.logs.summary import by_revision, quantiles
from profiling.nesting import LoggedSpan
from tests.profiling.logs.lines import BEGIN, line, log_of, record, summary_of
from tests.serving import Server

COLD = {
    "framework": (0.0, 300.0),
    "boot": (300.0, 100.0),
    "idle": (400.0, 1000.0),
    "request": (1400.0, 350.0),
    "load": (1401.0, 340.0),
    "session": (1500.0, 120.0),
}


def entry(duration_ms: float, **fields: object) -> dict[str, object]:
    """The LogEntry that Cloud Logging makes of a line."""
    payload = line(duration_ms)
    return {
        "insertId": "x",
        "timestamp": payload.pop("time"),
        "severity": payload.pop("severity"),
        "trace": "projects/p/traces/" + "a" * 32,
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": "s", "revision_name": "s-00001-abc"},
        },
        "jsonPayload": payload,
        **fields,
    }


def test_a_line_and_its_entry_say_the_same() -> None:
    printed, logged = read_entry(line(3.5)), read_entry(entry(3.5))
    assert isinstance(printed, Record)
    assert isinstance(logged, Record)
    assert logged.revision == "s-00001-abc"
    assert logged.trace == "projects/p/traces/" + "a" * 32
    same = ("time", "message", "route", "status", "duration_ms", "spans", "rss_mb")
    assert [getattr(printed, name) for name in same] == [getattr(logged, name) for name in same]


def test_an_entry_without_profile_counts_when_it_is_an_error() -> None:
    crash = {"severity": "ERROR", "textPayload": "Memory limit exceeded\nmore", "resource": None}
    failure = read_entry(crash)
    assert isinstance(failure, Failure)
    assert (failure.message, failure.revision, failure.time) == (
        "Memory limit exceeded",
        "unknown",
        None,
    )
    assert read_entry({"severity": "INFO", "textPayload": "hello"}) is None
    assert isinstance(read_entry({"profile": {"spans": "no"}, "severity": "INFO"}), OtherVersion)
    assert read_entry({"jsonPayload": "no"}) is None


def test_files_hold_lines_or_one_list(tmp_path: Path) -> None:
    entries = [entry(1.0), entry(2.0)]
    lines = tmp_path / "lines"
    lines.write_text("starting\n\n" + "\n".join(map(json.dumps, entries)) + "\n[x]\n")
    pretty = tmp_path / "list"
    pretty.write_text(json.dumps(entries, indent=2))
    for path, skipped in ((lines, 2), (pretty, 0)):
        log = gather(read_file(path), Window())
        assert list(log.requests["duration_ms"]) == [1.0, 2.0]
        assert log.skipped == skipped


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none: No such file or directory; give a file of log"):
        list(read_file(tmp_path / "none"))
    (tmp_path / "cut").write_text('[\n  {"a": 1},\n')
    with pytest.raises(SourceError, match="the JSON list breaks off at line"):
        list(read_file(tmp_path / "cut"))


def test_a_window_is_a_time_and_revisions() -> None:
    entries = [line(at_s=s, revision=name) for s in (0, 10, 20) for name in ("r1", "r2")]
    window = Window(BEGIN + timedelta(seconds=10), BEGIN + timedelta(seconds=20), ("r2",))
    requests = gather(entries, window).requests
    assert requests.revisions == ["r2"]
    assert [moment_of(time_us) for time_us in requests["time_us"]] == [window.since]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_percentiles_are_numpys(values: list[float]) -> None:
    row = quantiles(values)
    assert row is not None
    expected = [*np.quantile(values, [0.50, 0.95, 0.99]), max(values)]
    assert [row.p50, row.p95, row.p99, row.max] == pytest.approx(expected, abs=1e-9)
    assert row.n == len(values)


def test_no_values_have_no_percentiles() -> None:
    assert quantiles([]) is None


def test_latency_is_that_of_warm_answers() -> None:
    lines = [
        *(line(float(ms), spans={"run": (1.0, ms / 2)}) for ms in range(1, 101)),
        line(900.0, cold=True),
        line(700.0, status=400),
        line(800.0, status=500),
        line(600.0, route="GET /health"),
    ]
    summary = summary_of(lines)
    assert summary.warm_ms is not None
    assert (summary.warm_ms.n, summary.warm_ms.p50, summary.warm_ms.max) == (100, 50.5, 100.0)
    assert summary.spans_ms["run"].p50 == 25.25
    assert list(summary.spans_ms) == ["request", "run"]
    assert (summary.requests, summary.predictions) == (104, 101)


def test_a_cold_start_counts_once_and_without_the_wait_for_a_request() -> None:
    lines = [
        line(350.0, cold=True, spans=COLD),
        line(340.0, cold=True, spans={"wait": (1.0, 330.0)}),
        *(line() for _ in range(8)),
    ]
    cold = summary_of(lines).cold_starts
    assert (cold.n, cold.share, cold.waited) == (1, 0.1, 1)
    assert cold.start_to_answer_ms is not None
    assert cold.start_to_answer_ms.p50 == 300 + 100 + 350
    assert list(cold.spans_ms) == ["framework", "boot", "idle", "request", "load", "session"]


def test_the_slowest_name_their_longest_part_and_their_trace() -> None:
    trace = {"logging.googleapis.com/trace": "projects/p/traces/" + "b" * 32}
    slow = line(350.0, cold=True, spans=COLD) | trace
    first, second = summary_of([line(3.0), slow]).slowest
    assert (first.duration_ms, first.longest, first.longest_ms) == (350.0, "session", 120.0)
    url = "https://console.cloud.google.com/traces/list?project=p&tid=" + "b" * 32
    assert (first.trace, second.trace) == (url, None)


def test_memory_goes_by_age_and_errors_by_message() -> None:
    lines = [
        line(at_s=5, rss_mb=90.0),
        line(at_s=30, rss_mb=94.0, instance="two"),
        line(at_s=4000, rss_mb=120.0),
        line(status=500),
        line(status=400),
        line(status=400),
    ]
    crash = {"severity": "CRITICAL", "message": "Memory limit exceeded"}
    labels = {"resource": {"labels": {"revision_name": "r1"}}}
    summary = summary_of([*lines, crash | labels])
    ages = {band.age: (band.n, band.instances, band.max_mb) for band in summary.memory}
    assert ages == {"under 1 min": (5, 2, 100.0), "over 1 h": (1, 1, 120.0)}
    errors = summary.errors
    assert (errors.requests_4xx, errors.requests_5xx, errors.other) == (2, 1, 1)
    assert errors.share_5xx == pytest.approx(1 / 6)
    assert errors.messages == {"POST / 400": 2, "POST / 500": 1, "Memory limit exceeded": 1}


def test_revisions_stand_in_the_order_of_their_first_request() -> None:
    log = log_of([line(revision="r2"), line(revision="r1"), line(revision="r2")])
    assert [(summary.revision, summary.requests) for summary in by_revision(log)] == [
        ("r2", 2),
        ("r1", 1),
    ]


WORK = {"verify", "import_tokenizers", "tokenizer", "import_onnxruntime", "session"}
"""What loading a bundle consists of."""


@pytest.mark.parametrize(
    ("server", "unexplained"),
    [("cold_server", 0.02), ("eager_server", 0.15)],  # start.py's own imports have no span
)
def test_the_servers_own_lines_explain_a_cold_start_down_to_the_import(
    server: str, unexplained: float, request: pytest.FixtureRequest
) -> None:
    running: Server = request.getfixturevalue(server)
    log = log_of(running.lines())
    assert log.skipped == 0
    (summary,) = by_revision(log)
    assert summary.revision == "r9"
    assert (summary.cold_starts.n, summary.predictions) == (1, 4)
    spans = set(summary.cold_starts.spans_ms)
    assert {"framework", "import_handler", "boot", "idle", "load", "run"} | WORK <= spans
    start_to_answer_ms, start = cold_start(log)
    outermost = [span for span in start if span.parent is None and span.name != "idle"]
    assert busy_ms(outermost) == pytest.approx(start_to_answer_ms, rel=unexplained)
    load = [span.name for span in start].index("load")
    parts = [span for span in start if span.parent == load]
    assert {span.name for span in parts} >= WORK
    assert busy_ms(parts) == pytest.approx(start[load].duration_ms, rel=0.05)
    assert summary.memory[0].instances == 1


def cold_start(log: Log) -> tuple[float, list[LoggedSpan]]:
    """From start to answer in milliseconds, and the spans, of the one cold start."""
    starts = log.requests.where(log.requests["paid_cold_start"])
    (start_to_answer_ms,) = starts["start_to_answer_ms"]
    return float(start_to_answer_ms), starts.spans_of(0)


def busy_ms(spans: list[LoggedSpan]) -> float:
    """How long at least one of the spans was open."""
    total_ms, until_ms = 0.0, 0.0
    for span in spans:
        total_ms += max(0.0, span.end_ms - max(span.start_ms, until_ms))
        until_ms = max(until_ms, span.end_ms)
    return total_ms


def test_the_servers_import_is_beside_the_load_not_inside(eager_server: Server) -> None:
    _, start = cold_start(log_of(eager_server.lines()))
    parents = {span.name: span.parent for span in start}
    assert {parents[name] for name in ("framework", "import_server", "load", "boot")} == {None}


def test_answers_of_all_protocols_are_predictions() -> None:
    assert record(route="POST /bigquery").answered
    assert record(route="POST /v2/models/NAME/infer").answered
    assert not record(route="GET /ready").answered
    assert not record(route="POST /bigquery", status=400).answered
