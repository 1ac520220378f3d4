"""How long does one start take, and what does it cost? One fresh process, measured."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from profiling import process_tree
from profiling.bench.asking import LOG_LINES, Caller, burst
from profiling.bench.contenders import Contender
from profiling.bench.limits import ControlGroup, CpuMemoryLimits, limited
from profiling.bench.sandbox import wrapped
from profiling.percentiles import percentile
from profiling.server import ServerError, connect, free_port, last_lines

SETTLE_S = 2.0
SLOWS_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
"""What a developer may have set, and no image has."""


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
    sandbox_mb: float | None = None
    """PSS of the whole sandbox, idle: gVisor's kernel with the process inside it."""
    charged_mb: float | None = None
    """The most that the control group was charged for, page cache included."""
    killed: bool | None = None
    note: str = ""

    def figures(self) -> dict[str, float]:
        """The numbers that are known, by name."""
        return {key: value for key, value in vars(self).items() if type(value) in (int, float)}


@dataclass(frozen=True)
class StartPlan:
    """What is the same in every start of one run."""

    bundle: Path
    graph: str
    text: str
    labels: dict[str, list[str]]
    """Labels of each task in the right answer."""
    limits: CpuMemoryLimits
    warm_requests: int
    burst: bool
    runsc: Path | None = None
    """Each start runs in a sandbox of its own made by it; None: on plain Linux."""


def measure(contender: Contender, plan: StartPlan) -> Start:
    """Start it, ask it, measure it, end it; raises ServerError."""
    with (
        tempfile.TemporaryDirectory() as folder,
        limited(plan.limits) as group,
        closing(Spawned(contender, plan, group, Path(folder) / "log")) as spawned,
    ):
        pid = spawned.process.pid
        start = spawned.first_answer()
        if contender.serves:
            spawned.measure_warm(start)
        if plan.runsc:
            start.sandbox_mb = process_tree.pss_mb(pid)
        else:
            start.settled_mb = process_tree.pss_mb(pid)
            start.peak_mb = process_tree.highest_rss_mb(pid)
        if plan.burst and contender.serves:
            burst(spawned.port, spawned.log)
            if not plan.runsc:
                start.burst_mb = process_tree.pss_mb(pid)
        start.charged_mb, start.killed, start.note = group.peak_mb, group.killed, group.note
        return start


class Spawned:
    """A process of a contender, just started."""

    def __init__(
        self, contender: Contender, plan: StartPlan, group: ControlGroup, log: Path
    ) -> None:
        self.contender, self.plan, self.log, self.port = contender, plan, log, free_port()
        values = {**vars(plan), "port": self.port}
        environment = {key: text.format(**values) for key, text in contender.environment.items()}
        inherited = {key: text for key, text in os.environ.items() if key not in SLOWS_PYTHON}
        command = [part.format(**values) for part in contender.command]
        if plan.runsc:
            command = wrapped(command, contender.folder, plan.runsc)
            environment["TMPDIR"] = str(log.parent)  # runsc's own files, removed with the log
        with log.open("wb") as output:
            self.spawned_s = time.perf_counter()
            self.process = subprocess.Popen(
                group.wrap(command),
                cwd=contender.folder,
                env={**inherited, **environment},
                stdin=subprocess.PIPE,
                stdout=output if contender.serves else subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )

    def first_answer(self) -> Start:
        """What it took to the first right answer; raises ServerError."""
        return self._first_served() if self.contender.serves else self._first_printed()

    def connect(self) -> socket:
        """A connection, made as soon as it listens; raises ServerError."""
        return connect(self.process, self.port, self.log)

    def measure_warm(self, start: Start) -> None:
        """Further requests over a kept connection, then a pause for its memory to settle."""
        if self.plan.warm_requests:
            with closing(Caller(self.port, self.log)) as caller:
                times_ms = caller.times_ms(self.plan.text, self.plan.warm_requests)
            start.warm_p50_ms, start.warm_p95_ms, start.warm_p99_ms = (
                percentile(times_ms, percent) for percent in (50, 95, 99)
            )
        time.sleep(SETTLE_S)

    def _first_served(self) -> Start:
        """The first request goes over a connection made as soon as it listens."""
        with closing(Caller(self.port, self.log, self.connect())) as caller:
            listening_ms = self._elapsed_ms()
            start = self._start(caller.post([self.plan.text]))
        start.listening_ms = listening_ms
        start.first_request_ms = start.first_answer_ms - listening_ms
        return start

    def _first_printed(self) -> Start:
        """It prints its one answer, and waits for its input to close."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            log = last_lines(self.log, LOG_LINES)
            raise ServerError(f"{self.contender.title} gave no answer:\n{log}")
        return self._start(json.loads(line))

    def close(self) -> None:
        process_tree.end(self.process.pid)
        self.process.communicate()

    def _start(self, answer: Any) -> Start:
        """What was used up to this first answer, if it is right; raises ServerError."""
        start = Start(self._elapsed_ms(), cpu_ms=process_tree.cpu_s(self.process.pid) * 1000)
        start.read_mb, start.disk_mb = process_tree.read_mb(self.process.pid)
        self._check(answer)
        return start

    def _check(self, answer: Any) -> None:
        """The labels are right, or at least there is one answer per task; raises ServerError."""
        right = self.plan.labels
        labels = labels_of(answer)
        if labels.keys() != right.keys() or (not self.contender.own_weights and labels != right):
            raise ServerError(f"{self.contender.title} answers {labels}, not {right}")

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self.spawned_s) * 1000


def labels_of(answer: Any) -> dict[str, list[str]]:
    """The labels of each task in an answer to one text."""
    (prediction,) = answer["predictions"]
    return {task: [entry["label"] for entry in entries] for task, entries in prediction.items()}
