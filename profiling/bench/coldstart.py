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
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench.contenders import (
    CONTENDERS,
    DEFAULT,
    SERVE,
    missing,
    optimized_graph,
    prepare,
)
from profiling.bench.launch import StartPlan, labels_of, measure
from profiling.bench.limits import CpuMemoryLimits
from profiling.bench.result import output_of, parser, summarize_figures, write
from profiling.percentiles import percentile, weakness
from profiling.server import ServerError
from tables.text import markdown

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
    report: dict[str, Any] = {
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
    # The right labels come from the command line's classifier, in a process of its own.
    command = (str(SERVE), "-m", "function", "--bundle", str(options.bundle), "--", options.text)
    labels = labels_of(json.loads(output_of(*command)))
    graph = optimized_graph(options.bundle)
    for cpus, memory_mb, cache in itertools.product(options.cpus, options.memory, options.cache):
        plan = StartPlan(
            bundle=options.bundle.resolve(),
            graph=graph,
            text=options.text,
            labels=labels,
            limits=CpuMemoryLimits(cpus, memory_mb),
            warm_requests=options.warm,
            burst=options.burst,
        )
        yield _condition(plan, cache, options.rounds, options.contenders)


def _condition(plan: StartPlan, cache: str, rounds: int, names: list[str]) -> dict[str, Any]:
    notes = set()
    killed = dict.fromkeys(names, False)
    figures: Figures = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names:
            if cache == "cold":
                notes.add(_drop_caches())
            start = measure(CONTENDERS[name], plan)
            notes.add(start.note)
            print(f"{turn}/{rounds} {name}: {start.first_answer_ms:.0f} ms", file=sys.stderr)
            if turn:  # the first round warms up
                figures[name].append(start.figures())
                killed[name] |= bool(start.killed)
    return {
        "limits": str(plan.limits),
        "page_cache": cache,
        "optimized_graph": bool(plan.graph),
        "notes": sorted(notes - {""}),
        "killed": killed,
        "contenders": {name: summarize_figures(rows) for name, rows in figures.items()},
        "ratios": ratios(figures),
    }


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """Ours over each other contender, start by start of the same round, medians."""
    ours = figures.get("ours")
    return {
        name: {
            key: percentile([a[key] / b[key] for a, b in zip(ours, others, strict=True)], 50)
            for key in COLUMNS
            if all(row.get(key, 0) > 0 for row in (*ours, *others))
        }
        for name, others in figures.items()
        if ours and name != "ours"
    }


def _section(condition: dict[str, Any]) -> str:
    """One table: a contender per row, the median with p95 for the main figure."""
    summaries = condition["contenders"]
    keys = [key for key in COLUMNS if any(key in summary for summary in summaries.values())]
    rows = [
        (
            CONTENDERS[name].title,
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
    title = f"### {condition['limits']}, {condition['page_cache']} page cache"
    table = markdown(("", "n", *(COLUMNS[key] for key in keys)), rows)
    return "\n".join([title, "", table, "", *(f"- {note}" for note in notes), ""])


def _cell(summary: dict[str, float] | None, key: str) -> str:
    """The median; p95 too for the figure that the benchmark is about."""
    if summary is None:
        return ""
    digits = 2 if key.startswith("warm") else 0
    median = f"{summary['median']:.{digits}f}"
    return f"{median} (p95 {summary['p95']:.0f})" if key == "first_answer_ms" else median


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
    others = ", ".join(name for name in CONTENDERS if name not in DEFAULT)
    add(
        "--contenders", nargs="+", choices=CONTENDERS, default=DEFAULT, metavar="NAME",
        help=f"default: {' '.join(DEFAULT)}; also {others}",
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
