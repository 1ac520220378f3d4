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
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench.asking import StartError
from profiling.bench.contenders import DEFAULT, ROOT, SERVE, contenders, optimized_graph, prepare
from profiling.bench.launch import Job, Start, measure
from profiling.bench.limits import Limits
from profiling.percentiles import summarize, weakness

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
Starts = dict[str, list[Start]]


def main(arguments: list[str]) -> int:
    """Run the benchmark; 0, 1 (a contender failed) or 2 (it was asked wrongly)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.prepare:
        prepare(options.bundle)
        return 0
    known = contenders()
    unknown = [name for name in options.contenders if name not in known]
    if unknown:
        parser.error(f"no contender {unknown[0]!r}; there are: {', '.join(known)}")
    missing = [problem for name in options.contenders if (problem := known[name].missing)]
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    report: dict[str, Any] = {
        "format": FORMAT,
        "text": options.text,
        "bundle": str(options.bundle),
        "machine": machine.describe(SERVE),
        "conditions": [],
    }
    try:
        for condition in _conditions(options):
            report["conditions"].append(condition)
            print(_section(condition, options.contenders), flush=True)
    except StartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(machine.sentence(report["machine"]))
    if options.out:
        _write(report, options.out, options.contenders)
    return 0


def _conditions(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every combination of limits and page cache that was asked for, measured."""
    expected = _expected(options.bundle, options.text)
    graph = optimized_graph(options.bundle)
    for cpus, memory_mb, cache in itertools.product(options.cpus, options.memory, options.cache):
        limits = Limits(cpus or None, memory_mb or None)
        job = Job(
            bundle=options.bundle.resolve(),
            graph=graph,
            text=options.text,
            expected=expected,
            limits=limits,
            warm_requests=options.warm,
            burst=options.burst,
        )
        yield _condition(job, cache, options.rounds, options.contenders)


def _condition(job: Job, cache: str, rounds: int, names: list[str]) -> dict[str, Any]:
    known = contenders()
    notes = set()
    starts: Starts = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names:
            if cache == "cold":
                notes.add(_drop_caches())
            start = measure(known[name], job)
            notes.add(start.note)
            print(f"{turn}/{rounds} {name}: {start.first_answer_ms:.0f} ms", file=sys.stderr)
            if turn:  # the first round warms up
                starts[name].append(start)
    return {
        "limits": str(job.limits),
        "page_cache": cache,
        "optimized_graph": bool(job.graph),
        "notes": sorted(notes - {""}),
        "killed": {name: any(start.killed for start in starts[name]) for name in names},
        "contenders": {name: _summaries(starts[name]) for name in names},
        "ratios": _ratios(starts),
    }


def _summaries(starts: list[Start]) -> dict[str, Any]:
    rows = [start.numbers() for start in starts]
    return {key: summarize([row[key] for row in rows]) for key in COLUMNS if key in rows[0]}


def _ratios(starts: Starts) -> dict[str, dict[str, float]]:
    """Ours over each other, start by start of the same round, medians."""
    if "ours" not in starts:
        return {}
    ours = [start.numbers() for start in starts["ours"]]
    return {
        name: {
            key: statistics.median(
                own[key] / other[key] for own, other in zip(ours, others, strict=True)
            )
            for key in COLUMNS
            if all(row.get(key, 0) > 0 for row in (*ours, *others))
        }
        for name, found in starts.items()
        if name != "ours"
        for others in [[start.numbers() for start in found]]
    }


def _section(condition: dict[str, Any], names: list[str]) -> str:
    """One table: a contender per row, the median with quartiles for the main figure."""
    known = contenders()
    found = condition["contenders"]
    keys = [key for key in COLUMNS if any(key in found[name] for name in names)]
    lines = [
        f"### {condition['limits']}, {condition['page_cache']} page cache",
        "",
        "| | n | " + " | ".join(COLUMNS[key] for key in keys) + " |",
        "|---|---|" + "---|" * len(keys),
    ]
    for name in names:
        cells = [_cell(found[name].get(key), key) for key in keys]
        runs = found[name]["first_answer_ms"]["n"]
        lines.append(f"| {known[name].title} | {runs} | " + " | ".join(cells) + " |")
    lines.append("")
    for name, ratios in condition["ratios"].items():
        said = ", ".join(
            f"{COLUMNS[key]} {ratios[key]:.2f}"
            for key in ("first_answer_ms", "cpu_ms", "warm_p50_ms", "settled_mb")
            if key in ratios
        )
        lines.append(f"- ours over {name}, medians of paired rounds: {said}")
    lines += [f"- {note}" for note in condition["notes"]]
    lines += [
        f"- {name}: the kernel ended a process for its memory"
        for name, killed in condition["killed"].items()
        if killed
    ]
    lines += [
        f"- weak: {name}, first answer is {weak}"
        for name in names
        if (weak := weakness(found[name]["first_answer_ms"]))
    ]
    return "\n".join([*lines, ""])


def _cell(summary: dict[str, float] | None, key: str) -> str:
    """The median; p95 too for the figure that the benchmark is about."""
    if summary is None:
        return ""
    digits = 2 if key.startswith("warm") else 0
    median = f"{summary['median']:.{digits}f}"
    return f"{median} (p95 {summary['p95']:.0f})" if key == "first_answer_ms" else median


def _write(report: dict[str, Any], out: Path, names: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "coldstart.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    sections = [_section(condition, names) for condition in report["conditions"]]
    text = "\n".join([*sections, machine.sentence(report["machine"]), ""])
    (out / "coldstart.md").write_text(text, encoding="utf-8")


def _expected(bundle: Path, text: str) -> dict[str, list[str]]:
    """The right labels, from the command line's classifier in a process of its own."""
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
    """Empty the page cache; what to say when that is not permitted."""
    os.sync()
    try:
        DROP_CACHES.write_text("3")
    except OSError as error:
        return f"the page cache could not be dropped ({error}): this is a warm one"
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m profiling coldstart", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--prepare", action="store_true", help="make the optimized graphs, and end")
    parser.add_argument("--bundle", type=Path, default=ROOT / "model" / "ingredients")
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--contenders", nargs="+", default=list(DEFAULT), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=10, help="starts of each (default: 10)")
    parser.add_argument("--cpus", nargs="+", type=float, default=[1], help="0: no limit")
    parser.add_argument("--memory", nargs="+", type=int, default=[0], help="MiB; 0: no limit")
    parser.add_argument("--cache", nargs="+", choices=["warm", "cold"], default=["warm"])
    parser.add_argument("--warm", type=int, default=200, help="warm requests (default: 200)")
    parser.add_argument("--burst", action="store_true", help="8 clients of 32 long texts, too")
    parser.add_argument("--out", type=Path, help="directory for coldstart.json and coldstart.md")
    return parser
