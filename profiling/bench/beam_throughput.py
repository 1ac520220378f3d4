"""How many rows a second does Beam score, beside the classifier alone, on one worker and on two?

    python -m profiling beam --workers 1 2 --out profiling/results

Contenders take turns, each a process of its own: the classifier with one list of all texts, then
`python -m function beam` with each number of worker processes, once with all rows and once with a
few. What the few take is the start, which is subtracted. Rows a second of processor time compare
with the classifier even on a busy machine; those of the clock tell what a second worker brings,
and need a machine at rest.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from profiling import machine
from profiling.bench import result
from profiling.percentiles import summarize
from profiling.server import ROOT
from tables.text import markdown

PYTHON = ROOT / ".venv-beam" / "bin" / "python"
FEW = 200
ALONE = "the classifier alone"
CLASSIFIER = """
import json, sys, time
from model.classifier import Classifier

texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
classifier = Classifier.load(sys.argv[2])
classifier.predict(texts[:100])
start_s, cpu_start_s = time.perf_counter(), time.process_time()
classifier.predict(texts)
wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_start_s
print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s}))
"""
Seconds = dict[str, float]


def main(arguments: Sequence[str]) -> int:
    """Measure, print Markdown, and write beam.json and beam.md to `--out`."""
    parser = result.parser("beam", __doc__)
    parser.add_argument("--data", type=Path, default=result.TEXTS, help="JSONL.gz with `text`")
    parser.add_argument("--texts", type=int, default=20_000, help="default: 20000")
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn; default: 3")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    python_help = "of the environment that `make beam` sets up"
    parser.add_argument("--python", type=Path, default=PYTHON, help=python_help)
    options = parser.parse_args(arguments)
    if min(options.texts - FEW, options.rounds, *options.workers) < 1:
        parser.error(f"--texts is above {FEW}, --rounds and --workers are 1 or more")
    if not options.python.exists():
        parser.error(f"{options.python}: not there; `make beam` sets it up, --python names another")
    try:
        texts = result.sample(options.data, options.texts)
    except (OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(Path(folder), texts, options)
    report: dict[str, Any] = {
        "machine": machine.describe(options.python),
        "texts": len(texts),
        "seconds": seconds,
    }
    print(text := table(report))
    result.write("beam", report, text, options.out)
    return 0


def measure(folder: Path, texts: list[str], options: Any) -> dict[str, list[Seconds]]:
    """{contender: `wall_s` and `cpu_s` of each round, without the start}."""
    many, few = (written(folder / f"{len(part)}.jsonl", part) for part in (texts, texts[:FEW]))
    measured: dict[str, list[Seconds]] = {}
    for number in range(options.rounds):
        words = [str(options.python), "-c", CLASSIFIER, str(many), str(options.bundle)]
        rounds = {ALONE: json.loads(result.output_of(*words))}
        for workers in options.workers:
            whole, start = (
                timed_run(options.python, table_path, options.bundle, workers)
                for table_path in (many, few)
            )
            share = len(texts) / (len(texts) - FEW)
            rounds[beam_with(workers)] = {
                key: (whole[key] - start[key]) * share for key in ("wall_s", "cpu_s")
            }
        for name, spent in rounds.items():
            measured.setdefault(name, []).append(spent)
            print(f"{number + 1}/{options.rounds} {name}: {spent}", file=sys.stderr)
    return measured


def beam_with(workers: int) -> str:
    return f"Beam, {workers} worker{'s' * (workers > 1)}"


def written(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def timed_run(python: Path, source: Path, bundle: Path, workers: int) -> Seconds:
    """What one call of the command takes, its worker processes included."""
    words = [str(python), "-m", "function", "beam", "--input", str(source)]
    words += ["--output", str(source.with_suffix("")), "--force"]
    words += ["--bundle", str(bundle), "--workers", str(workers)]
    start_s = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed")
    wall_s = time.perf_counter() - start_s
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime}


def table(report: dict[str, Any]) -> str:
    """Markdown: rows a second, and how they compare in paired rounds."""
    rows_each, seconds = report["texts"], report["seconds"]
    header = (f"{rows_each} rows", "n", "seconds", "rows/s", "rows/s of processor time")
    lines, notes = [], []
    for name, rounds in seconds.items():
        wall_s, cpu_s = (summarize([one[key] for one in rounds]) for key in ("wall_s", "cpu_s"))
        figures = (f"{rows_each / spent['median']:.0f}" for spent in (wall_s, cpu_s))
        lines.append((name, str(wall_s["n"]), f"{wall_s['median']:.1f}", *figures))
        if name != ALONE:
            share = paired_ratio(seconds[ALONE], rounds, "cpu_s")
            notes.append(f"- {name}: {share:.2f} of {ALONE} by processor time")
    first, *others = (name for name in seconds if name != ALONE)
    for name in others:
        growth = paired_ratio(seconds[first], seconds[name], "wall_s")
        notes.append(f"- {name}: {growth:.2f} times as fast as {first}, by the clock")
    parts = (markdown(header, lines), "\n".join(notes), machine.sentence(report["machine"]))
    return "\n\n".join(parts)


def paired_ratio(before: list[Seconds], after: list[Seconds], key: str) -> float:
    """Median of how many times less the second takes."""
    return statistics.median(a[key] / b[key] for a, b in zip(before, after, strict=True))
