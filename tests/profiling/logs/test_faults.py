"""Restarts, lost lines and lines of another version: counted apart, and shown everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from profiling.logs.comparison import Side, compare
from tests.profiling.command import run
from tests.profiling.logs.lines import line, requests_of, summary_of

START = {"framework": (0.0, 25_000.0), "request": (25_000.0, 90.0), "load": (25_001.0, 80.0)}
"""A worker that was started 25 s after its master."""
YAML = """---
insertId: 6741a0c2000c5f1b
jsonPayload:
  message: POST / 200
  profile:
    cold: false
logName: projects/my-project/logs/run.googleapis.com%2Fstdout
"""


def instance(name: str, restart: bool | None = None, age_s: float = 1.0) -> dict[str, Any]:
    """What a line says of its process; `restart` is absent in older ones."""
    described: dict[str, Any] = {"id": name, "age_s": age_s, "requests": 1}
    return described if restart is None else {**described, "restart": restart}


def restarted(name: str, cold: bool = True) -> dict[str, Any]:
    spans = START if cold else {}
    entry = line(90.0 if cold else 3.0, cold=cold, spans=spans)
    entry["profile"]["instance"] = instance(name, restart=True)
    return entry


def test_a_restart_is_no_cold_start_and_counts_once_for_each_process() -> None:
    waited = line(80.0, cold=True, spans={"wait": (1.0, 70.0)})
    waited["profile"]["instance"] = instance("two", restart=True)
    cold = line(90.0, cold=True, spans={**START, "framework": (0.0, 300.0)})
    cold["profile"]["instance"] = instance("one", restart=False)
    warm = line(3.0)
    summary = summary_of(
        [cold, warm, restarted("two"), waited, restarted("two", cold=False), restarted("three")]
    )
    starts = summary.cold_starts
    assert (summary.restarts, starts.n, starts.waited) == (2, 1, 0)
    assert starts.spans_ms["framework"].max == 300.0
    assert starts.share == 1 / 6
    assert summary.warm_ms is not None
    assert (summary.warm_ms.n, summary.warm_ms.max) == (2, 3.0)
    assert [slow.restart for slow in summary.slowest] == [False, True, True, True, False]


def test_restarts_are_in_no_comparison_of_cold_starts() -> None:
    sides = [Side(name, requests_of([restarted(name), line()])) for name in ("a", "b")]
    assert "cold start p50" not in {row.measure for row in compare(*sides).rows}


def test_lines_lost_add_up_by_revision() -> None:
    lines = [line(dropped=dropped) for dropped in (0, 3, 4.0)]
    assert summary_of([*lines, line()]).lines_lost == 7
    assert summary_of([line()]).lines_lost == 0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    odd = line()
    del odd["profile"]["rss_mb"]
    path = tmp_path / "log"
    lines = [line(number / 10, at_s=number) for number in range(1, 50)]
    lines += [restarted("two"), restarted("three"), line(dropped=12), odd, odd]
    lines.append(line(revision="r2"))
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


NOT_COUNTED = "2 lines are from another version of the function, or damaged, and not counted"


def test_faults_are_in_the_tables_and_on_the_page(log: Path, tmp_path: Path) -> None:
    done = run("logs", "--file", str(log), "--html", str(tmp_path / "page.html"))
    first, _, second, *rest = done.stdout.splitlines()
    assert first == NOT_COUNTED
    counts = "52 requests, 52 predictions, 3 instances, 2 restarts, 12 lines lost, 2026"
    assert second.startswith(f"revision r1: {counts}")
    assert sum("  restart  " in text for text in rest) == 2
    others = next(text for text in rest if text.startswith("revision r2"))
    assert others.startswith("revision r2: 1 requests, 1 predictions, 1 instance, 2026")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert f"{NOT_COUNTED}." in page
    for name, value in (("restarts", 2), ("lines lost", 12)):
        card = f'<div class="name">{name}</div><div class="value">{value}</div>'
        assert page.count(f'<div class="name">{name}</div>') == page.count(card) == 1


def test_faults_are_in_the_document(log: Path) -> None:
    document = json.loads(run("logs", "--file", str(log), "--json").stdout)
    assert document["other_version"] == 2
    counts = [(it["restarts"], it["lines_lost"]) for it in document["revisions"]]
    assert counts == [(2, 12), (0, 0)]


def test_a_log_of_another_version_alone_says_so() -> None:
    done = run("logs", "--file", "-", stdin=json.dumps(line() | {"profile": {"spans": []}}))
    assert (done.returncode, done.stdout) == (1, "")
    message = "no request; 1 line is from another version of the function, or damaged"
    assert f"error: -: {message}" in done.stderr


def test_gclouds_yaml_gets_told_what_to_add() -> None:
    done = run("logs", "--file", "-", stdin=YAML * 2)
    assert (done.returncode, done.stdout) == (1, "")
    assert "add --format=json to `gcloud logging read`" in done.stderr


def test_an_empty_pipe_is_told_what_to_give() -> None:
    done = run("logs", "--file", "-", stdin="")
    assert done.returncode == 1
    assert "error: -: no request and no error in 0 entries read; give what" in done.stderr
