"""`python -m profiling`: every command is listed, starts, and is imported only when asked for."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from profiling.__main__ import BENCHMARKS, TOOLS
from tests.profiling.command import run
from tests.serving import ROOT

COMMANDS = TOOLS | BENCHMARKS


def test_help_says_what_each_command_is_for() -> None:
    usage = run("--help").stdout
    for name, (_, summary) in COMMANDS.items():
        assert any(line.split(maxsplit=1) == [name, summary] for line in usage.splitlines())
    assert usage.index("tools:") < usage.index("  logs ") < usage.index("benchmarks:")
    assert usage.index("benchmarks:") < usage.index("  agree ")
    assert run().stdout == usage


def test_a_command_that_is_not_there_is_told_what_there_is() -> None:
    done = run("log")
    assert done.returncode == 2
    assert "invalid choice: 'log' (choose from" in done.stderr
    assert all(name in done.stderr for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"profiling.{COMMANDS[name][0]}")
    with pytest.raises(SystemExit, match="0"):
        module.main(["--help"])
    usage = capsys.readouterr().out
    assert usage.startswith(f"usage: python -m profiling {name} ")
    assert len(usage.split("\n\n")[1]) > 20


def test_smoke_runs_with_the_standard_library_alone() -> None:
    bare = [sys.executable, "-S", "-m", "profiling", "smoke", "--help"]  # no site-packages
    done = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "IDENTITY_TOKEN" in done.stdout


@pytest.mark.slow
def test_the_cost_of_a_span_is_measured_beside_a_call(tmp_path: Path) -> None:
    done = run("timer", "--samples", "5", "--requests", "100", "--out", str(tmp_path))
    report = json.loads((tmp_path / "timer.json").read_text())
    assert list(report["ns"]) == [
        "bare call",
        "span",
        "decorated call",
        "span, not sampled",
        "span, no session",
    ]
    assert report["request"]["spans"] == 6
    cost_ns = report["ns"]["span"]["median"] * report["request"]["spans"]
    assert report["share"] == pytest.approx(cost_ns / (report["request"]["cpu_ms"] * 1e6))
    assert done.returncode == (0 if report["share"] <= report["budget"] else 1)
    assert "a warm request: 6 spans" in done.stdout
    assert (tmp_path / "timer.md").read_text() == done.stdout


def test_a_reader_that_has_enough_is_no_error_to_tell() -> None:
    command = f"{sys.executable} -m profiling logs --file tests/frozen/function.log | true"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
