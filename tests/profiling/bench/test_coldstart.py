"""A start is measured on the real process, wrong answers are refused, limits are told apart."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from profiling import process_tree
from profiling.bench import coldstart, limits, sandbox
from profiling.bench.contenders import CONTENDERS, Contender
from profiling.bench.launch import StartPlan, measure
from profiling.bench.limits import CpuMemoryLimits, limited
from profiling.bench.result import summarize_figures
from profiling.server import FROM_IMAGE, ROOT, ServerError

OURS = dataclasses.replace(CONTENDERS["ours"], command=(sys.executable, *FROM_IMAGE))
HONEY = {"ingredient": ["ingredient"], "source": ["animal_product"], "category": ["sweetener"]}


@pytest.fixture
def plan(bundle_path: Path) -> StartPlan:
    return StartPlan(
        bundle=bundle_path,
        graph="",
        text="raw honey",
        labels=HONEY,
        limits=CpuMemoryLimits(),
        warm_requests=5,
        burst=False,
    )


def test_a_start_is_taken_apart(plan: StartPlan) -> None:
    start = measure(OURS, plan)
    assert start.listening_ms is not None
    assert start.first_request_ms is not None
    assert start.first_answer_ms == pytest.approx(start.listening_ms + start.first_request_ms)
    assert start.cpu_ms is not None
    assert start.cpu_ms > 0
    assert start.settled_mb is not None
    assert start.peak_mb is not None
    assert 20 < start.settled_mb < start.peak_mb
    assert start.warm_p50_ms is not None
    assert start.warm_p50_ms < start.first_answer_ms
    assert start.note == "no limits"


def test_the_floor_answers_as_the_classifier_does(plan: StartPlan) -> None:
    floor = ROOT / "profiling" / "bench" / "peers" / "floor.py"
    command = (sys.executable, str(floor), "{bundle}", "{graph}", "{text}")
    start = measure(Contender("floor", command, serves=False), plan)
    assert start.listening_ms is None
    assert start.settled_mb is not None
    assert start.settled_mb > 20


def test_a_wrong_answer_is_no_start(plan: StartPlan) -> None:
    wrong = dataclasses.replace(plan, labels={**HONEY, "source": ["plant"]})
    with pytest.raises(ServerError, match=r"animal_product.*not.*plant"):
        measure(OURS, wrong)


def test_a_process_that_dies_is_told_with_its_output(plan: StartPlan) -> None:
    dying = Contender("dying", ("sh", "-c", "echo out of luck; exit 3"))
    with pytest.raises(ServerError, match=r"(?s)did not start.*out of luck"):
        measure(dying, plan)


def test_ending_takes_the_children_with_it() -> None:
    process = subprocess.Popen(
        ["sh", "-c", "sleep 60 & sleep 60 & echo started; wait"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    processes = process_tree.tree(process.pid)
    assert len(processes) == 3
    process_tree.end(process.pid)
    process.communicate()
    assert not any(child.is_running() for child in processes)


def test_where_control_groups_are_not_permitted_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(limits, "ROOT", tmp_path / "none")
    with limited(CpuMemoryLimits(cpus=1, memory_mb=128)) as group:
        assert "not permitted" in group.note
        assert "memory is not limited" in group.note
        assert group.killed is None
        script = "import os; print(len(os.sched_getaffinity(0)))"
        done = subprocess.run(
            group.wrap([sys.executable, "-c", script]), capture_output=True, text=True, check=True
        )
    assert done.stdout == "1\n"


def test_a_memory_limit_that_is_permitted_kills() -> None:
    with limited(CpuMemoryLimits(memory_mb=64)) as group:
        if "not permitted" in group.note:
            pytest.skip(group.note)
        hungry = [sys.executable, "-c", "x = bytearray(200 * 2**20)"]
        done = subprocess.run(group.wrap(hungry), capture_output=True, check=False)
        assert done.returncode != 0
        assert group.killed is True
        assert group.peak_mb is not None
        assert group.peak_mb <= 64
    assert not any(folder.exists() for folder in group.folders)


def test_ratios_pair_the_starts_of_a_round() -> None:
    figures = {
        "ours": [{"first_answer_ms": ms, "cpu_ms": 50.0} for ms in (100.0, 300.0, 90.0)],
        "node": [{"first_answer_ms": ms, "cpu_ms": 100.0} for ms in (200.0, 600.0, 100.0)],
    }
    first, cpu = coldstart.ratios(figures)["node"].values()
    assert (first["median"], first["low"], first["high"]) == (0.5, 0.5, 0.9)
    assert cpu["median"] == 0.5


def test_an_unknown_contender_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        coldstart.main(["--contenders", "ours", "rust"])
    assert "invalid choice: 'rust' (choose from" in capsys.readouterr().err


def test_a_commit_that_is_not_there_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coldstart, "missing", lambda needs: [])
    with pytest.raises(SystemExit, match=r"worktree add .* never-committed failed"):
        coldstart.main(["--contenders", "floor", "--against", "never-committed"])


def test_a_condition_in_the_sandbox_says_so() -> None:
    figures = summarize_figures([{"first_answer_ms": 500.0}] * 20)
    condition = {
        "limits": "1 CPU",
        "page_cache": "cold",
        "sandbox": "gvisor",
        "notes": [],
        "killed": {"node-bare": False},
        "contenders": {"node-bare": figures},
        "ratios": {},
    }
    title, _, _, _, row, *_ = coldstart._section(condition, CONTENDERS).splitlines()
    assert title == "### 1 CPU, cold page cache, gVisor"
    assert row.startswith("| Node at its best | 20 | 500 (p95 500) |")
    plain = coldstart._section({**condition, "sandbox": "none"}, CONTENDERS).splitlines()[0]
    assert plain == "### 1 CPU, cold page cache"


def test_without_runsc_the_command_that_fetches_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coldstart, "missing", lambda needs: [])
    monkeypatch.setattr(sandbox, "installed", lambda: None)
    assert coldstart.main(["--sandbox", "none", "gvisor"]) == 1
    assert "runsc of 20240729 or later is not there; run: python -m" in capsys.readouterr().err
