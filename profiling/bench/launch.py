"""How long does one start take, and what does it cost? One fresh process, measured."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from profiling import process_tree
from profiling.bench.asking import StartError, burst, connected, output, post, warm
from profiling.bench.contenders import Contender
from profiling.bench.limits import Limits, limited
from profiling.percentiles import percentile
from profiling.server import free_port

SETTLE_S = 2.0


@dataclass
class Start:
    """What one start took; None: does not apply, or cannot be known here."""

    first_answer_ms: float
    """From spawn to the first correct answer."""
    listening_ms: float | None = None
    first_request_ms: float | None = None
    cpu_ms: float | None = None
    """Processor time of the whole tree up to the first answer."""
    read_mb: float | None = None
    disk_mb: float | None = None
    warm_p50_ms: float | None = None
    warm_p95_ms: float | None = None
    warm_p99_ms: float | None = None
    settled_mb: float | None = None
    """PSS of the tree, idle, after the warm requests."""
    peak_mb: float | None = None
    """Sum of the highest resident memory of each process up to there: an upper bound."""
    burst_mb: float | None = None
    """PSS after 8 clients sent 32 long texts each, four times over."""
    charged_mb: float | None = None
    """The most that the control group was charged for, page cache included."""
    killed: bool | None = None
    note: str = field(default="", compare=False)

    def numbers(self) -> dict[str, float]:
        return {
            key: value
            for key, value in asdict(self).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }


@dataclass(frozen=True)
class Job:
    """What every start of one run is asked."""

    bundle: Path
    graph: str
    text: str
    expected: dict[str, list[str]]
    """Labels of each task in the right answer."""
    limits: Limits
    warm_requests: int
    burst: bool


def measure(contender: Contender, job: Job) -> Start:
    """Start it, ask it, weigh it, end it; raises StartError."""
    port = free_port()
    fill = {"port": port, "bundle": job.bundle, "text": job.text, "graph": job.graph}
    command = [_filled(part, fill) for part in contender.command]
    environment = {key: _filled(value, fill) for key, value in contender.environment.items()}
    with tempfile.TemporaryFile() as log, limited(job.limits) as group:
        spawned_s = time.perf_counter()
        process = subprocess.Popen(
            group.wrap(command),
            cwd=contender.folder,
            env={**_clean_environment(), **environment},
            stdin=subprocess.PIPE,
            stdout=log if contender.serves else subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            ask = _serve if contender.serves else _answer_once
            start = ask(process, port, spawned_s, contender, job, log)
            start.charged_mb, start.killed = group.peak_mb, group.killed
        finally:
            process_tree.end(process.pid)
            process.communicate()
        start.note = group.note
        return start


def _serve(
    process: subprocess.Popen[bytes],
    port: int,
    spawned_s: float,
    contender: Contender,
    job: Job,
    log: IO[bytes],
) -> Start:
    with connected(process, port, log) as connection:
        listening_s = time.perf_counter()
        answer = post(connection, [job.text], log)
        answered_s = time.perf_counter()
    _check(answer, contender, job)
    start = Start(
        first_answer_ms=(answered_s - spawned_s) * 1000,
        listening_ms=(listening_s - spawned_s) * 1000,
        first_request_ms=(answered_s - listening_s) * 1000,
        cpu_ms=process_tree.cpu_s(process.pid) * 1000,
    )
    start.read_mb, start.disk_mb = process_tree.read_mb(process.pid)
    if job.warm_requests:
        taken = warm(port, job.text, job.warm_requests, log)
        start.warm_p50_ms, start.warm_p95_ms, start.warm_p99_ms = (
            percentile(taken, percent) for percent in (50, 95, 99)
        )
    time.sleep(SETTLE_S)
    start.settled_mb = process_tree.pss_mb(process.pid)
    start.peak_mb = process_tree.highest_rss_mb(process.pid)
    if job.burst:
        burst(port, log)
        start.burst_mb = process_tree.pss_mb(process.pid)
    return start


def _answer_once(
    process: subprocess.Popen[bytes],
    port: int,
    spawned_s: float,
    contender: Contender,
    job: Job,
    log: IO[bytes],
) -> Start:
    assert process.stdout is not None
    line = process.stdout.readline()
    answered_s = time.perf_counter()
    if not line:
        raise StartError(f"{contender.name} gave no answer:\n{output(log)}")
    _check(json.loads(line), contender, job)
    start = Start((answered_s - spawned_s) * 1000, cpu_ms=process_tree.cpu_s(process.pid) * 1000)
    start.read_mb, start.disk_mb = process_tree.read_mb(process.pid)
    start.settled_mb = process_tree.pss_mb(process.pid)
    start.peak_mb = process_tree.highest_rss_mb(process.pid)
    return start


def _check(answer: Any, contender: Contender, job: Job) -> None:
    """The labels are right, or at least there is one answer per task."""
    prediction = answer["predictions"][0]
    found = {task: [entry["label"] for entry in labels] for task, labels in prediction.items()}
    right = set(found) == set(job.expected) if contender.own_weights else found == job.expected
    if not right:
        raise StartError(f"{contender.name} answers {found}, not {job.expected}")


def _filled(template: str, values: dict[str, object]) -> str:
    for key, value in values.items():
        template = template.replace(f"{{{key}}}", str(value))
    return template


def _clean_environment() -> dict[str, str]:
    """Nothing that slows Python's start by a developer's habit."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
    return {key: value for key, value in os.environ.items() if key not in dropped}
