"""System calls are counted up to the first answer, each once."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from profiling.bench import counts
from profiling.bench.contenders import Contender
from profiling.bench.launch import StartPlan
from profiling.bench.limits import CpuMemoryLimits

TRACE = """\
7 100.000001 execve("/usr/bin/python3", ..., 0x7ffd /* 9 vars */) = 0
7 100.000002 openat(AT_FDCWD, ""..., O_RDONLY) = 3
7 100.000003 openat(AT_FDCWD, ""..., O_RDONLY) = -1 ENOENT (No such file or directory)
8 100.000004 openat(AT_FDCWD, ""..., O_RDONLY <unfinished ...>
7 100.000005 read(3, ""..., 832) = 832
8 100.000006 <... openat resumed>) = 4
7 100.000007 +++ exited with 0 +++
8 200.000001 openat(AT_FDCWD, ""..., O_RDONLY) = 5
"""
FIRST = {"ingredient": ["ingredient"]}
PROGRAM = """
import sys, time
for _ in range(int(sys.argv[1])):
    open("/etc/passwd").close()
print('{"predictions": [{"ingredient": [{"label": "ingredient", "score": 1.0}]}]}', flush=True)
time.sleep(0.2)
for _ in range(1000):
    open("/etc/passwd").close()
sys.stdin.read()
"""


def test_a_trace_is_counted_up_to_a_moment() -> None:
    counted = counts.counted(TRACE.splitlines(), 150.0)
    assert counted == {"system_calls": 5, "files_opened": 2}


def test_a_program_is_traced_up_to_its_answer(bundle_path: Path, tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed (apt-get install strace)")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    plan = StartPlan(bundle_path, "", "", FIRST, CpuMemoryLimits(), warm_requests=0, burst=False)
    few, many = (
        counts.traced(Contender("it", (sys.executable, str(program), n), serves=False), plan)
        for n in ("10", "110")
    )
    assert many["files_opened"] - few["files_opened"] == 100
    assert 200 <= many["system_calls"] - few["system_calls"] < 1000


def test_what_was_not_counted_is_an_empty_cell() -> None:
    section = counts.section(
        {
            "n": 3,
            "contenders": {
                "ours": {"system_calls": 4300.0, "files_opened": 90.0, "cold_disk_mb": 60.4},
                "node": {"cold_disk_mb": 150.0},
            },
            "notes": ["a note"],
            "sandbox_alone": {
                "true": {
                    "plain_ms": {"n": 5, "median": 1.0},
                    "gvisor_ms": {"n": 5, "median": 160.6},
                    "more_ms": {"n": 5, "median": 159.2},
                }
            },
        }
    )
    assert "| ours, as deployed | 3 | 4300 | 90 | 60 |" in section
    assert "| Node on functions-framework | 3 |  |  | 150 |" in section
    assert "- a note" in section
    assert "| true | 5 | 1 | 161 | 159 |" in section
