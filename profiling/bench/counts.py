"""What does a start do up to its first answer: system calls, files opened, bytes from disk?

A part of `python -m profiling coldstart --counts`, aside from timing: tracing slows a process
several times. System calls are counted on plain Linux; in gVisor the same are made, and each costs
more. There it also measures what the sandbox costs alone, around a program that does nothing.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from profiling.bench import page_cache
from profiling.bench.contenders import CONTENDERS, SERVE, Contender
from profiling.bench.launch import Spawned, Start, StartPlan
from profiling.bench.limits import limited
from profiling.bench.result import summarize_figures
from profiling.bench.sandbox import wrapped
from profiling.server import ROOT
from tables.text import markdown

STARTS = 3
"""Of each contender; counts hardly vary."""
OPENED = re.compile(r"\bopen(?:at2?)?\b.* = \d+$")
NO_CALL = ("resumed>", "+++", "---")
"""Lines of strace that do not begin a system call."""
NOTHING = {
    "true": ("/bin/true",),
    "python -I -S -c pass": (str(SERVE), "-I", "-S", "-c", "pass"),
}
"""Programs around which the sandbox alone is measured."""


def count(names: Iterable[str], plan: StartPlan) -> dict[str, Any]:
    """The counts of each contender, medians of a few starts; raises ServerError."""
    notes = set()
    is_traced = shutil.which("strace") is not None
    if not is_traced:
        notes.add("system calls are not counted without strace (apt-get install strace)")
    medians = {}
    for name in names:
        rows = []
        for turn in range(STARTS):
            row = traced(CONTENDERS[name], plan) if is_traced else {}
            notes.add(page_cache.drop())
            start = _answered(CONTENDERS[name], plan)[0]
            if start.disk_mb is not None:
                row["cold_disk_mb"] = start.disk_mb
            print(f"{turn + 1}/{STARTS} {name}: counted", file=sys.stderr)
            rows.append(row)
        medians[name] = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return {"n": STARTS, "contenders": medians, "notes": sorted(notes - {""})}


def traced(contender: Contender, plan: StartPlan) -> dict[str, float]:
    """System calls that were begun and files that were opened up to the first answer."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        strace = ("strace", "-f", "-qq", "-ttt", "-s", "0", "-e", "signal=none", "-o", str(trace))
        slowed = dataclasses.replace(contender, command=(*strace, *contender.command))
        _, answered_s = _answered(slowed, plan)
        return counted(trace.read_text(errors="replace").splitlines(), answered_s)


def counted(lines: Iterable[str], until_s: float) -> dict[str, float]:
    """Counts of strace's lines (process, seconds since 1970, call) up to a moment."""
    before = [line for line in lines if float(line.split(maxsplit=2)[1]) <= until_s]
    calls = [line for line in before if not any(mark in line for mark in NO_CALL)]
    opened = [line for line in before if OPENED.search(line)]
    return {"system_calls": len(calls), "files_opened": len(opened)}


def _answered(contender: Contender, plan: StartPlan) -> tuple[Start, float]:
    """A start up to its first answer, and when that came, in seconds since 1970."""
    with (
        tempfile.TemporaryDirectory() as folder,
        limited(plan.limits) as group,
        closing(Spawned(contender, plan, group, Path(folder) / "log")) as spawned,
    ):
        return spawned.first_answer(), time.time()


def sandbox_alone(runsc: Path, rounds: int) -> dict[str, Any]:
    """Milliseconds of programs that do nothing, on plain Linux and in gVisor in turn."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in NOTHING}
    for turn in range(rounds + 1):
        for name, command in NOTHING.items():
            plain_ms = _run_ms(list(command))
            row = {"plain_ms": plain_ms, "gvisor_ms": _run_ms(wrapped(list(command), ROOT, runsc))}
            if turn:  # the first round warms up
                rows[name].append(row | {"more_ms": row["gvisor_ms"] - plain_ms})
    return {name: summarize_figures(figures) for name, figures in rows.items()}


def _run_ms(command: list[str]) -> float:
    start_s = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start_s) * 1000


def section(counts: dict[str, Any]) -> str:
    """The table of the counts, and that of the sandbox alone where it was measured."""
    keys = {
        "system_calls": "system calls",
        "files_opened": "files opened",
        "cold_disk_mb": "from disk, cold, MiB",
    }
    rows = [
        (
            CONTENDERS[name].title,
            str(counts["n"]),
            *(f"{figures[key]:.0f}" if key in figures else "" for key in keys),
        )
        for name, figures in counts["contenders"].items()
    ]
    parts = ["### Up to the first answer", "", markdown(("", "n", *keys.values()), rows), ""]
    parts += [f"- {note}" for note in counts["notes"]]
    if alone := counts.get("sandbox_alone"):
        header = ("", "n", "plain Linux, ms", "gVisor, ms", "paired difference, ms")
        columns = ("plain_ms", "gvisor_ms", "more_ms")
        medians = [
            (name, str(figures["plain_ms"]["n"]), *(f"{figures[c]['median']:.0f}" for c in columns))
            for name, figures in alone.items()
        ]
        parts += ["### The sandbox alone", "", markdown(header, medians), ""]
    return "\n".join(parts)
