"""The throughput command, for real, on a few texts."""

from __future__ import annotations

import json
from pathlib import Path

from profiling.bench.throughput import LIMIT, OURS, PIPELINE
from tests.profiling.command import run


def test_every_contender_answers(tmp_path: Path) -> None:
    done = run("throughput", "--texts", "100", "--rounds", "2", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "throughput.json").read_text())
    assert report["texts"] == 100
    seconds = report["threads"]["1"]["seconds"]
    assert {OURS, LIMIT, PIPELINE} < set(seconds)
    assert all(len(times_s) == 2 for times_s in seconds.values())
    assert (tmp_path / "throughput.md").read_text() == done.stdout


def test_a_wrong_path_is_named() -> None:
    done = run("throughput", "--data", "nowhere.jsonl.gz")
    assert done.returncode == 1
    assert "nowhere.jsonl.gz" in done.stderr
    assert "Traceback" not in done.stderr
