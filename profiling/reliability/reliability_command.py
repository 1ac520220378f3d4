"""Does anything take it down? Traffic of every kind, and faults if you like.

    python -m profiling reliability --requests 1000000 --out DIR
    python -m profiling reliability --requests 100000 --faults --out DIR

32 callers at once send short and long texts, lists, gzip, the protocols of others, wrong and
malformed requests, bodies that are too large, halves of requests that end in a reset or in
nothing. Without faults, memory may drift by 2 MB after the first tenth, and no descriptor may be
left over. With faults, the process is killed, its log is not read for a while, and files are
damaged and mended, at random; it is started again as Cloud Run does. Exit status 1 when an answer
was wrong, or none came that no fault explains.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.classifier import Classifier
from profiling import machine
from profiling.bench import result
from profiling.reliability.callers import Callers
from profiling.reliability.faults import Faults
from profiling.reliability.installation import install, run
from profiling.reliability.kept_instance import KeptInstance, wait_until_ready
from profiling.reliability.traffic import Traffic, shipped_texts
from profiling.server import ServerError
from tables.text import markdown

PARTS = 10
CALLERS = 32
MAX_DRIFT_MB = 2.0
SETTLED_S = 6.0
"""Until the server has seen that callers are gone, and given memory back."""
SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """Send, print Markdown, and write reliability.json and .md, or faults.json and .md."""
    parser = result.parser("reliability", __doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="default: 100000")
    parser.add_argument("--faults", action="store_true", help="inject faults meanwhile")
    parser.add_argument("--callers", type=int, default=CALLERS, help=f"default: {CALLERS}")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn; default: 1")
    options = parser.parse_args(arguments)
    if options.requests < PARTS or options.callers < 1:
        parser.error(f"--requests is {PARTS} or more, --callers 1 or more")
    name = "faults" if options.faults else "reliability"
    with tempfile.TemporaryDirectory() as folder:
        try:
            report = campaign(Path(folder), options)
        except ServerError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(text := table(report))
    result.write(name, report, text, options.out)
    return 1 if report["problems"] else 0


def campaign(folder: Path, options: Any) -> dict[str, Any]:
    """Install, start, send, and say what happened; raises ServerError when it never gets ready."""
    installed = install(folder / "installed", options.bundle)
    for module in ("function.graph", "function.bytecode"):
        run(installed, "-m", module).check_returncode()
    traffic = Traffic(Classifier.load(options.bundle), shipped_texts(), options.seed)
    complaints = folder / "complaints"
    instance = KeptInstance(installed, complaints)
    faults = Faults(instance, installed, options.seed)
    try:
        wait_until_ready(instance)
        callers = Callers(traffic, instance.port, options.callers, options.seed, faults.may_break)
        if options.faults:
            faults.start()
        rows = [_part(part, options, callers, instance) for part in range(PARTS)]
        faults.stop()
        wait_until_ready(instance)
    finally:
        faults.stop()
        status = instance.stop()
    report: dict[str, Any] = {
        "machine": machine.describe(),
        "callers": options.callers,
        "seed": options.seed,
        "rows": rows,
        "answers": dict(sorted(callers.answers.items())),
        "faults": dict(sorted(faults.injected.items())),
        "restarts": instance.restarts,
        "unanswered_in_a_fault": callers.broken,
        "refused_in_a_fault": callers.excused,
        "lines": instance.log.lines,
        "lines_dropped": instance.log.dropped,
        "complaints": len(complaints.read_text().splitlines()),
    }
    report["problems"] = [
        *callers.wrong, *faults.problems, *instance.log.problems,
        *_left_over(report, instance, status),
    ]  # fmt: skip
    return report


def _part(part: int, options: Any, callers: Callers, instance: KeptInstance) -> dict[str, float]:
    """Send a tenth; what the process holds afterwards, if it may be expected to be there."""
    requests = options.requests // PARTS
    start_s = time.perf_counter()
    callers.send(requests)
    took_s = time.perf_counter() - start_s
    row = {"requests": (part + 1) * requests, "per_s": round(requests / took_s, 1)}
    if not options.faults:
        time.sleep(SETTLED_S)
        row |= instance.holds()
    print(row, file=sys.stderr, flush=True)
    return row


def _left_over(report: dict[str, Any], instance: KeptInstance, status: int) -> list[str]:
    """What must not be at the end."""
    first, last = report["rows"][0], report["rows"][-1]
    problems = [] if status == 0 else [f"it ended with exit status {status}"]
    if len(instance.log.torn) > instance.restarts:
        problems.append(f"torn lines: {instance.log.torn[:3]}")
    if not report["faults"]:
        drift_mb = last["memory_mb"] - first["memory_mb"]
        if drift_mb >= MAX_DRIFT_MB:
            problems.append(f"memory grew by {drift_mb:.1f} MB after the first tenth")
        for key in ("descriptors", "threads"):
            if last[key] > first[key]:
                problems.append(f"{last[key]} {key} at the end, {first[key]} after the first tenth")
        if instance.restarts:
            problems.append(f"it died {instance.restarts} times")
    return problems


def table(report: dict[str, Any]) -> str:
    """Markdown: the way there, what was sent and answered, what was injected, what went wrong."""
    columns = ("requests", "requests/s", "memory, MiB", "descriptors", "threads")
    header = columns[: len(report["rows"][0])]
    rows = [[str(value) for value in row.values()] for row in report["rows"]]
    answers = [[key, str(count)] for key, count in report["answers"].items()]
    parts = [markdown(header, rows), markdown(("sent and answered", "times"), answers)]
    if report["faults"]:
        injected = [[kind, str(count)] for kind, count in report["faults"].items()]
        parts.append(markdown(("injected", "times"), injected))
        parts.append(
            f"Started again {report['restarts']} times. In a fault, "
            f"{report['unanswered_in_a_fault']} requests had no answer and "
            f"{report['refused_in_a_fault']} a 503."
        )
    parts.append(
        f"{report['callers']} callers at once, seed {report['seed']}. {report['lines']} log lines, "
        f"{report['lines_dropped']} dropped and counted. Status 0: a caller that left."
    )
    problems = report["problems"]
    shown = "".join(f"\n- {problem}" for problem in problems[:SHOWN])
    parts.append(f"{len(problems)} problems.{shown}" if problems else "Nothing went wrong.")
    return "\n\n".join(parts)
