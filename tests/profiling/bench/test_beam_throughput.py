"""The measurement of Beam: its table, and the command for real where Beam's environment is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from profiling import machine
from profiling.bench import beam_throughput
from profiling.bench.beam_throughput import ALONE, PYTHON
from tests.profiling.command import run


def test_rounds_are_compared_in_pairs() -> None:
    seconds = {
        ALONE: [{"wall_s": 10.0, "cpu_s": 8.0}, {"wall_s": 30.0, "cpu_s": 9.0}],
        "Beam, 1 worker": [{"wall_s": 20.0, "cpu_s": 10.0}, {"wall_s": 60.0, "cpu_s": 9.0}],
        "Beam, 2 workers": [{"wall_s": 10.0, "cpu_s": 10.0}, {"wall_s": 40.0, "cpu_s": 12.0}],
    }
    text = beam_throughput.table({"texts": 1000, "seconds": seconds, "machine": machine.describe()})
    assert "| Beam, 1 worker | 2 | 40.0 | 25 | 105 |" in text
    assert "- Beam, 1 worker: 0.90 of the classifier alone by processor time" in text
    assert "- Beam, 2 workers: 1.75 times as fast as Beam, 1 worker, by the clock" in text


def test_an_environment_that_is_not_there_is_named() -> None:
    done = run("beam", "--python", "nowhere/python")
    assert done.returncode == 2
    assert "nowhere/python: not there; `make beam` sets it up" in done.stderr


@pytest.mark.beam
def test_every_contender_scores(tmp_path: Path) -> None:
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is not there: make test-beam sets it up")
    done = run("beam", "--texts", "400", "--rounds", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "beam.json").read_text())
    assert set(report["seconds"]) == {ALONE, "Beam, 1 worker", "Beam, 2 workers"}
    assert (tmp_path / "beam.md").read_text() == done.stdout
