"""How soon does a fresh process answer, and at what cost, beside Node and beside the floor?

    python -m profiling coldstart --rounds 20 --cpus 1 2 --out profiling/results

Every start is a process of its own. Contenders take turns, so that what disturbs the machine
disturbs all; the first round warms the page cache and is thrown away. Results go to standard
output as Markdown, and to OUT as coldstart.json and coldstart.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench.contenders import (
    DEFAULT,
    SERVE,
    contenders,
    missing,
    optimized_graph,
    prepare,
)
from profiling.bench.launch import Start, StartPlan, measure
from profiling.bench.limits import CpuMemoryLimits
from profiling.bench.result import ROOT, parser, write
from profiling.percentiles import percentile, summarize, weakness
from profiling.server import ServerError
from tables.text import markdown

FORMAT = 1
TEXT = "raw honey"
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
COLUMNS = {
    "first_answer_ms": "first answer, ms",
    "listening_ms": "listening, ms",
    "first_request_ms": "first request, ms",
    "cpu_ms": "CPU, ms",
    "disk_mb": "from disk, MiB",
    "read_mb": "read calls, MiB",
    "warm_p50_ms": "warm p50, ms",
    "warm_p95_ms": "p95",
    "warm_p99_ms": "p99",
    "settled_mb": "settled, MiB",
    "peak_mb": "peak, MiB",
    "burst_mb": "after a burst, MiB",
    "charged_mb": "charged, MiB",
}
COMPARED = ("first_answer_ms", "cpu_ms", "warm_p50_ms", "settled_mb")
Starts = dict[str, list[Start]]


def main(arguments: list[str]) -> int:
    """Run the benchmark; 0, 1 (a contender failed) or 2 (wrong usage)."""
    command = _parser()
    options = command.parse_args(arguments)
    if options.prepare:
        prepare(options.bundle)
        return 0
    members = contenders()
    for name in options.contenders:
        if name not in members:
            command.error(f"no contender {name!r}; there are: {', '.join(members)}")
    if problems := missing(*(members[name].needs for name in options.contenders)):
        print("\n".join(problems), file=sys.stderr)
        return 1
    report: dict[str, Any] = {
        "format": FORMAT,
        "text": options.text,
        "bundle": str(options.bundle),
        "machine": machine.describe(SERVE),
        "conditions": [],
    }
    sections = []
    try:
        for condition in _conditions(options):
            report["conditions"].append(condition)
            sections.append(_section(condition))
            print(sections[-1], flush=True)
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    on_machine = machine.sentence(report["machine"])
    print(on_machine)
    write("coldstart", report, "\n".join([*sections, on_machine]), options.out)
    return 0


def _conditions(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every requested combination of limits and page cache, measured."""
    labels = _right_labels(options.bundle, options.text)
    graph = optimized_graph(options.bundle)
    for cpus, memory_mb, cache in itertools.product(options.cpus, options.memory, options.cache):
        plan = StartPlan(
            bundle=options.bundle.resolve(),
            graph=graph,
            text=options.text,
            labels=labels,
            limits=CpuMemoryLimits(cpus or None, memory_mb or None),
            warm_requests=options.warm,
            burst=options.burst,
        )
        yield _condition(plan, cache, options.rounds, options.contenders)


def _condition(plan: StartPlan, cache: str, rounds: int, names: list[str]) -> dict[str, Any]:
    notes = set()
    starts: Starts = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names:
            if cache == "cold":
                notes.add(_drop_caches())
            start = measure(contenders()[name], plan)
            notes.add(start.note)
            print(f"{turn}/{rounds} {name}: {start.first_answer_ms:.0f} ms", file=sys.stderr)
            if turn:  # the first round warms up
                starts[name].append(start)
    return {
        "limits": str(plan.limits),
        "page_cache": cache,
        "optimized_graph": bool(plan.graph),
        "notes": sorted(notes - {""}),
        "killed": {name: any(start.killed for start in starts[name]) for name in names},
        "contenders": {name: _summaries(starts[name]) for name in names},
        "ratios": ratios(starts),
    }


def _summaries(starts: list[Start]) -> dict[str, Any]:
    rows = [start.numbers() for start in starts]
    return {key: summarize([row[key] for row in rows]) for key in COLUMNS if key in rows[0]}


def ratios(starts: Starts) -> dict[str, dict[str, float]]:
    """Ours over each other contender, start by start of the same round, medians."""
    rows = {name: [start.numbers() for start in own] for name, own in starts.items()}
    ours = rows.pop("ours", [])
    return {
        name: {
            key: percentile([a[key] / b[key] for a, b in zip(ours, others, strict=True)], 50)
            for key in COLUMNS
            if all(row.get(key, 0) > 0 for row in (*ours, *others))
        }
        for name, others in rows.items()
        if ours
    }


def _section(condition: dict[str, Any]) -> str:
    """One table: a contender per row, the median with p95 for the main figure."""
    summaries = condition["contenders"]
    keys = [key for key in COLUMNS if any(key in summary for summary in summaries.values())]
    rows = [
        (
            contenders()[name].title,
            str(summary["first_answer_ms"]["n"]),
            *(_cell(summary.get(key), key) for key in keys),
        )
        for name, summary in summaries.items()
    ]
    notes = [
        f"ours over {name}, medians of paired rounds: "
        + ", ".join(f"{COLUMNS[key]} {pair[key]:.2f}" for key in COMPARED if key in pair)
        for name, pair in condition["ratios"].items()
    ]
    notes += condition["notes"]
    for name, summary in summaries.items():
        if condition["killed"][name]:
            notes.append(f"{name}: the kernel ended a process for its memory")
        if weak := weakness(summary["first_answer_ms"]):
            notes.append(f"weak: {name}, first answer is {weak}")
    return "\n".join(
        [
            f"### {condition['limits']}, {condition['page_cache']} page cache",
            "",
            markdown(("", "n", *(COLUMNS[key] for key in keys)), rows),
            "",
            *(f"- {note}" for note in notes),
            "",
        ]
    )


def _cell(summary: dict[str, float] | None, key: str) -> str:
    """The median; p95 too for the figure that the benchmark is about."""
    if summary is None:
        return ""
    digits = 2 if key.startswith("warm") else 0
    median = f"{summary['median']:.{digits}f}"
    return f"{median} (p95 {summary['p95']:.0f})" if key == "first_answer_ms" else median


def _right_labels(bundle: Path, text: str) -> dict[str, list[str]]:
    """The labels of each task, from the command line's classifier in a process of its own."""
    done = subprocess.run(
        [str(SERVE), "-m", "function", "--bundle", str(bundle), "--", text],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    prediction = json.loads(done.stdout)["predictions"][0]
    return {task: [entry["label"] for entry in labels] for task, labels in prediction.items()}


def _drop_caches() -> str:
    """Empty the page cache; a note where that is not permitted."""
    os.sync()
    try:
        DROP_CACHES.write_text("3", encoding="utf-8")
    except OSError as error:
        return f"the page cache could not be dropped ({error}): this is a warm one"
    return ""


def _parser() -> argparse.ArgumentParser:
    command = parser("coldstart", __doc__)
    add = command.add_argument
    add("--prepare", action="store_true", help="make the optimized graphs, and end")
    add("--text", default=TEXT, help=f"the text that is sent (default: {TEXT})")
    add(
        "--contenders", nargs="+", default=list(DEFAULT), metavar="NAME",
        help=f"default: {' '.join(DEFAULT)}; also node-lazy, node-naive, ours-source",
    )  # fmt: skip
    add("--rounds", type=int, default=10, metavar="N", help="starts of each (default: 10)")
    add("--cpus", nargs="+", type=float, default=[1], metavar="N", help="0: no limit (default: 1)")
    add("--memory", nargs="+", type=int, default=[0], metavar="MIB", help="0: no limit (default)")
    add(
        "--cache", nargs="+", choices=["warm", "cold"], default=["warm"],
        help="the page cache (default: warm)",
    )  # fmt: skip
    add("--warm", type=int, default=200, metavar="N", help="warm requests (default: 200)")
    add("--burst", action="store_true", help="8 clients of 32 long texts, too")
    return command
