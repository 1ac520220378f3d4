"""How soon does a fresh process answer, and at what cost, beside Node and beside the floor?

    python -m profiling coldstart --cpus 1 2 --sandbox none gvisor --out profiling/results

Every start is a process of its own, in gVisor a sandbox of its own. Contenders take turns, so that
what disturbs the machine disturbs all; the first round warms the page cache and is thrown away.
Results go to standard output as Markdown, and to OUT as coldstart.json and coldstart.md, or with
--counts as counts.json and counts.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench import counts, page_cache
from profiling.bench.contenders import (
    CONTENDERS,
    DEFAULT,
    SERVE,
    Contender,
    missing,
    optimized_graph,
    prepare,
)
from profiling.bench.earlier_commit import earlier_commit
from profiling.bench.launch import StartPlan, labels_of, measure
from profiling.bench.limits import CpuMemoryLimits
from profiling.bench.node_peers import NODE_24
from profiling.bench.result import output_of, parser, summarize_figures, write
from profiling.bench.sandbox import SandboxError, describe, require
from profiling.percentiles import median_interval, weakness
from profiling.server import ServerError
from tables.text import markdown

TEXT = "raw honey"
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
    "sandbox_mb": "whole sandbox, MiB",
    "charged_mb": "charged, MiB",
}
COMPARED = ("first_answer_ms", "cpu_ms", "warm_p50_ms", "settled_mb")
Figures = dict[str, list[dict[str, float]]]
"""Those of each contender's starts, in the order of the rounds."""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; 0, 1 (a contender failed) or 2 (wrong usage)."""
    options = _parser().parse_args(arguments)
    if options.prepare:
        prepare(options.bundle)
        return 0
    needs = [path for name in options.contenders for path in CONTENDERS[name].needs]
    if problems := missing(needs):
        print("\n".join(problems), file=sys.stderr)
        return 1
    try:
        runsc = require() if "gvisor" in options.sandbox else None
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    described = machine.describe(SERVE, NODE_24) | (describe(runsc) if runsc else {})
    report: dict[str, Any] = {
        "text": options.text,
        "bundle": str(options.bundle),
        "machine": described,
    }
    try:
        with contenders_of(options) as contenders:
            sections = list(_sections(options, contenders, runsc, report))
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    on_machine = machine.sentence(described)
    print(on_machine)
    name = "counts" if options.counts else "coldstart"
    write(name, report, "\n".join([*sections, on_machine]), options.out)
    return 0


@contextmanager
def contenders_of(options: argparse.Namespace) -> Iterator[dict[str, Contender]]:
    """Those that take turns, by name."""
    contenders = {name: CONTENDERS[name] for name in options.contenders}
    if not options.against:
        yield contenders
        return
    with earlier_commit(options.against, options.bundle.resolve()) as earlier:
        yield {**contenders, "earlier": earlier}


def _sections(
    options: argparse.Namespace,
    contenders: dict[str, Contender],
    runsc: Path | None,
    report: dict[str, Any],
) -> Iterator[str]:
    """Measure into the report; each part as text, printed when it is there."""
    plan = _plan(options)
    if options.counts:
        report["counts"] = counts.count(options.contenders, plan)
        if runsc:
            report["counts"]["sandbox_alone"] = counts.sandbox_alone(runsc, options.rounds)
        yield _printed(counts.section(report["counts"]))
        return
    report["conditions"] = []
    for cpus, memory_mb, cache, sandbox in itertools.product(
        options.cpus, options.memory, options.cache, options.sandbox
    ):
        limited = dataclasses.replace(
            plan,
            limits=CpuMemoryLimits(cpus, memory_mb),
            runsc=runsc if sandbox == "gvisor" else None,
        )
        condition = _condition(limited, cache, options.rounds, contenders)
        report["conditions"].append(condition)
        yield _printed(_section(condition, contenders))


def _printed(section: str) -> str:
    print(section, flush=True)
    return section


def _plan(options: argparse.Namespace) -> StartPlan:
    """What all starts share, without limits."""
    # The right labels come from the command line's classifier, in a process of its own.
    command = (str(SERVE), "-m", "function", "--bundle", str(options.bundle), "--", options.text)
    return StartPlan(
        bundle=options.bundle.resolve(),
        graph=optimized_graph(options.bundle),
        text=options.text,
        labels=labels_of(json.loads(output_of(*command))),
        limits=CpuMemoryLimits(),
        warm_requests=options.warm,
        burst=options.burst,
    )


def _condition(
    plan: StartPlan, cache: str, rounds: int, contenders: dict[str, Contender]
) -> dict[str, Any]:
    notes = set()
    killed = dict.fromkeys(contenders, False)
    figures: Figures = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            if cache == "cold":
                # The host of a fresh instance runs other sandboxes: runsc itself is in its memory.
                notes.add(page_cache.drop(warm=plan.runsc))
            start = measure(contender, plan)
            notes.add(start.note)
            print(f"{turn}/{rounds} {name}: {start.first_answer_ms:.0f} ms", file=sys.stderr)
            if turn:  # the first round warms up
                figures[name].append(start.figures())
                killed[name] |= bool(start.killed)
    return {
        "limits": str(plan.limits),
        "page_cache": cache,
        "sandbox": "gvisor" if plan.runsc else "none",
        "optimized_graph": bool(plan.graph),
        "notes": sorted(notes - {""}),
        "killed": killed,
        "contenders": {name: summarize_figures(rows) for name, rows in figures.items()},
        "ratios": ratios(figures),
    }


def ratios(figures: Figures) -> dict[str, dict[str, dict[str, float]]]:
    """Ours over each other contender, start by start of the same round: medians, intervals."""
    ours = figures.get("ours")
    return {
        name: {
            key: median_interval([a[key] / b[key] for a, b in zip(ours, others, strict=True)])
            for key in COLUMNS
            if all(row.get(key, 0) > 0 for row in (*ours, *others))
        }
        for name, others in figures.items()
        if ours and name != "ours"
    }


def _section(condition: dict[str, Any], contenders: dict[str, Contender]) -> str:
    """One table: a contender per row, the median with p95 for the main figure."""
    summaries = condition["contenders"]
    keys = [key for key in COLUMNS if any(key in summary for summary in summaries.values())]
    rows = [
        (
            contenders[name].title,
            str(summary["first_answer_ms"]["n"]),
            *(_cell(summary.get(key), key) for key in keys),
        )
        for name, summary in summaries.items()
    ]
    notes = [
        f"ours over {name}, medians of paired rounds (95 % interval): "
        + ", ".join(_ratio(key, pair[key]) for key in COMPARED if key in pair)
        for name, pair in condition["ratios"].items()
    ]
    notes += condition["notes"]
    for name, summary in summaries.items():
        if condition["killed"][name]:
            notes.append(f"{name}: the kernel ended a process for its memory")
        if weak := weakness(summary["first_answer_ms"]):
            notes.append(f"weak: {name}, first answer is {weak}")
    title = f"### {condition['limits']}, {condition['page_cache']} page cache"
    title += ", gVisor" if condition["sandbox"] == "gvisor" else ""
    table = markdown(("", "n", *(COLUMNS[key] for key in keys)), rows)
    return "\n".join([title, "", table, "", *(f"- {note}" for note in notes), ""])


def _ratio(key: str, ratio: dict[str, float]) -> str:
    return f"{COLUMNS[key]} {ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _cell(summary: dict[str, float] | None, key: str) -> str:
    """The median; p95 too for the figure that the benchmark is about."""
    if summary is None:
        return ""
    digits = 2 if key.startswith("warm") else 0
    median = f"{summary['median']:.{digits}f}"
    return f"{median} (p95 {summary['p95']:.0f})" if key == "first_answer_ms" else median


def _parser() -> argparse.ArgumentParser:
    command = parser("coldstart", __doc__)
    add = command.add_argument
    add("--prepare", action="store_true", help="make the optimized graphs, and end")
    add("--text", default=TEXT, help=f"the text that is sent (default: {TEXT})")
    others = ", ".join(name for name in CONTENDERS if name not in DEFAULT)
    add(
        "--contenders", nargs="+", choices=CONTENDERS, default=DEFAULT, metavar="NAME",
        help=f"default: {' '.join(DEFAULT)}; also {others}",
    )  # fmt: skip
    add("--against", metavar="COMMIT", help="ours as it was then takes its turns, too")
    add("--rounds", type=int, default=10, metavar="N", help="starts of each (default: 10)")
    add("--cpus", nargs="+", type=float, default=[1], metavar="N", help="0: no limit (default: 1)")
    add("--memory", nargs="+", type=int, default=[0], metavar="MIB", help="0: no limit (default)")
    add(
        "--cache", nargs="+", choices=["warm", "cold"], default=["warm"],
        help="the page cache (default: warm)",
    )  # fmt: skip
    add(
        "--sandbox", nargs="+", choices=["none", "gvisor"], default=["none"],
        help="plain Linux, gVisor's kernel (python -m profiling.bench.sandbox), or both in turn",
    )  # fmt: skip
    add("--counts", action="store_true", help="count calls, files and reads in place of timing")
    add("--warm", type=int, default=200, metavar="N", help="warm requests (default: 200)")
    add("--burst", action="store_true", help="8 clients of 32 long texts, too")
    return command
