"""The function inside gVisor, the kernel that Cloud Run's first generation gives it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from profiling import process_tree
from profiling.bench import sandbox
from profiling.bench.limits import CpuMemoryLimits, limited
from profiling.server import FROM_IMAGE, ROOT, Server
from tests.docs_text import README, shown

pytestmark = pytest.mark.gvisor
END_S = 10
KERNEL = "import os; print(os.uname().release, os.environ['GREETING'], os.getcwd())"
GVISOR_KERNEL = "4.4.0"
"""The release that gVisor tells the programs inside."""


@pytest.fixture(scope="session")
def runsc() -> Path:
    path = sandbox.installed()
    if not path:
        pytest.skip(f"no runsc of {sandbox.OLDEST} or later; run: {sandbox.COMMAND}")
    return path


class SandboxedServer(Server):
    """The function as the image starts it, in a sandbox that keeps its own files in `folder`."""

    def __init__(self, bundle: Path, folder: Path, runsc: Path) -> None:
        command = sandbox.wrapped([sys.executable, *FROM_IMAGE], ROOT, runsc)
        super().__init__(
            bundle,
            folder / "log",
            python=command[0],
            command=tuple(command[1:]),
            TMPDIR=str(folder),
        )


def labels(answer: dict[str, Any]) -> list[dict[str, list[str]]]:
    """The labels of each task for each text."""
    return [
        {task: [entry["label"] for entry in entries] for task, entries in prediction.items()}
        for prediction in answer["predictions"]
    ]


def test_the_function_answers_logs_and_ends(bundle_path: Path, tmp_path: Path, runsc: Path) -> None:
    server = SandboxedServer(bundle_path, tmp_path, runsc)
    try:
        server.wait_until_listening()
        (question,) = re.findall(r"^\$ curl .* -d '(.*)'$", README, re.MULTILINE)
        answer = server.ask(json.loads(question))
        assert answer.status == 200
        documented = json.loads(shown("curl -s localhost:8080", "README.md"))
        assert labels(answer.json) == labels(documented)
        line = server.last_line()
        assert line["profile"]["cold"] is True
        assert line["profile"]["texts"] == len(answer.json["predictions"])
        assert line["profile"]["rss_mb"] > 20
        processes = process_tree.tree(server.pid)
        server.process.terminate()
        assert server.process.wait(END_S) == 0
        assert psutil.wait_procs(processes, END_S)[1] == []
    finally:
        server.stop()


def test_a_program_inside_has_the_environment_and_the_folder(runsc: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        sandbox.wrapped([sys.executable, "-c", KERNEL], tmp_path, runsc),
        env={**os.environ, "GREETING": "hello", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [GVISOR_KERNEL, "hello", str(tmp_path)]


def test_limits_hold_all_processes_of_a_sandbox_and_ending_leaves_none(
    runsc: Path, tmp_path: Path
) -> None:
    with limited(CpuMemoryLimits(cpus=1)) as group:
        if not group.folders:
            pytest.skip(group.note)
        program = "print('started', flush=True); import time; time.sleep(60)"
        process = subprocess.Popen(
            group.wrap(sandbox.wrapped([sys.executable, "-c", program], tmp_path, runsc)),
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        processes = process_tree.tree(process.pid)
        assert len(processes) >= 3  # runsc, its file server, its kernel
        inside = set((group.folders[0] / "cgroup.procs").read_text().split())
        assert {str(child.pid) for child in processes} <= inside
        process_tree.end(process.pid)
        process.communicate()
        assert psutil.wait_procs(processes, END_S)[1] == []
        assert not (group.folders[0] / "cgroup.procs").read_text()
