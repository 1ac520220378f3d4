"""The instance of a log line, and which spans the line has when not all are recorded."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.serving import serving

pytestmark = pytest.mark.slow

TRACE = f"00-{'c' * 32}-{'d' * 16}"


def names(line: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [span["name"] for span in line["profile"]["spans"]]


def test_age_counts_from_the_servers_first_process(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    before_s = time.monotonic()
    with serving(bundle_path, tmp_path / "log", way, K_REVISION="r3") as server:
        server.request("GET", "/health")
        listening_s = time.monotonic() - before_s
        time.sleep(0.3)
        server.ask({"inputs": "salt"})
        whole_s = time.monotonic() - before_s
        lines = server.lines()
    instances = [line["profile"]["instance"] for line in lines]
    assert [instance["requests"] for instance in instances] == [1, 2]
    assert len({instance["id"] for instance in instances}) == 1
    assert 0 < instances[0]["age_s"] < listening_s + 0.02  # a process's start is known to 10 ms
    slept_s = 0.2  # at least: a line may be written some time after its answer
    assert instances[0]["age_s"] + slept_s < instances[1]["age_s"] < whole_s + 0.02
    assert {line["profile"]["revision"] for line in lines} == {"r3"}
    cold = lines[1]["profile"]
    end_ms = max(span["start_ms"] + span["duration_ms"] for span in cold["spans"])
    assert instances[0]["age_s"] + slept_s < end_ms / 1000 <= instances[1]["age_s"] + 0.001
    parts = ("framework", "import_handler", "boot", "idle", "request")
    assert [name for name in names(lines[1]) if name in parts] == list(parts)
    assert all(name in names(lines[1]) for name in ("load", "session", "run"))
    assert next(span for span in cold["spans"] if span["name"] == "idle")["duration_ms"] >= 300
    assert names(lines[0]) == ["request", "respond"]


def test_a_share_of_none_records_what_is_cold_or_sampled_by_the_caller(
    way: str, bundle_path: Path, tmp_path: Path
) -> None:
    with serving(bundle_path, tmp_path / "log", way, PROFILE_SAMPLE="0") as server:
        server.ask({"inputs": "salt"})
        answer = server.ask({"inputs": "salt"}, traceparent=f"{TRACE}-00")
        server.ask({"inputs": "salt"}, traceparent=f"{TRACE}-01")
        cold, plain, sampled = server.lines()
    assert {"framework", "load", "run"} <= set(names(cold))
    assert names(plain) == ["request"]
    assert answer.headers["Server-Timing"] == f"request;dur={plain['profile']['duration_ms']}"
    assert {"request", "parse", "run"} <= set(names(sampled))
    assert [line["profile"]["sampled"] for line in (cold, plain, sampled)] == [True, False, True]
