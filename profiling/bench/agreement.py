"""Does the report agree with an independent load generator? wrk and Locust in turn, one server.

    python -m profiling agree BUNDLE --rate N      (wrk: apt-get install wrk)

Both send the same request from as many connections, each pausing after an answer so that together
they come to the rate, which the report's held rate halved is a good choice for. They take turns,
and the medians of their runs are compared. Where there are two processors, the server has the first
and the generators the last: on a shared one, each would empty the caches of the other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from model.bundle import BundleError, read_bundle
from profiling.bench import result
from profiling.percentiles import percentile
from profiling.report.load.plan import LoadError, Plan, run_load
from profiling.server import ServerError, serving
from tables.text import aligned

TURNS = 5
CONNECTIONS = 4
SCRIPT = """
wrk.method = "POST"
wrk.body = '{body}'
wrk.headers["Content-Type"] = "application/json"
function init(args) math.randomseed({seed}) end
function delay() return math.floor(-{pause_ms} * math.log(1 - math.random()) + 0.5) end
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{{"p50": %f, "p99": %f, "throughput": %f, "errors": %d}}\\n',
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests / (summary.duration / 1e6), failed))
end
"""
ALLOWED_SHARES = {"p50": 0.10, "throughput": 0.10, "p99": 0.25}


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 when they agree, 1 when not, 2 when it cannot be measured."""
    parser = result.parser("agree", __doc__, bundle_and_out=False)
    add = parser.add_argument
    add("bundle", type=Path, metavar="BUNDLE")
    add("--rate", type=float, required=True, metavar="N", help="requests per second of both")
    add("--text", default="raw honey", help="default: raw honey")
    add("--seconds", type=float, default=15.0, metavar="S", help="of each run")
    options = parser.parse_args(arguments)
    try:
        if shutil.which("wrk") is None:
            raise ValueError("wrk is not installed: apt-get install wrk")
        bundle = read_bundle(options.bundle)
        cpus = sorted(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory() as name, _pinned(cpus[0]), ExitStack() as stack:
            server = stack.enter_context(serving(bundle.path, Path(name) / "log"))
            stack.enter_context(_pinned(cpus[-1]))
            load = Plan(server.address, [[options.text]], duration_s=options.seconds)
            runs = take_turns(load, options.rate, Path(name))
    except (BundleError, ServerError, LoadError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0 if agree(runs) else 1


@contextmanager
def _pinned(cpu: int) -> Iterator[None]:
    """Processes that are started in the block run on `cpu`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


Runs = dict[str, list[dict[str, float]]]


def take_turns(load: Plan, rate: float, folder: Path) -> Runs:
    """A B A B ...: {generator: its runs}; raises LoadError, and ValueError where wrk fails."""
    probe = run_load(replace(load, duration_s=2.0))
    pause_s = max(0.0, CONNECTIONS / rate - percentile(probe.latency_ms, 50) / 1000)
    runs: Runs = {"wrk": [], "locust": []}
    for turn in range(TURNS):
        plan = replace(load, users=CONNECTIONS, pause_s=pause_s, seed=turn)
        runs["wrk"].append(_wrk(plan, folder))
        runs["locust"].append(_locust(plan))
        print(f"turn {turn + 1} of {TURNS}: {runs['wrk'][-1]} {runs['locust'][-1]}", flush=True)
    return runs


def agree(runs: Runs) -> bool:
    """Print the medians side by side; whether all are within what is allowed."""
    within = True
    rows = [("", "wrk", "locust", "apart", "allowed")]
    for key, allowed in ALLOWED_SHARES.items():
        wrk, locust = (percentile([run[key] for run in runs[name]], 50) for name in runs)
        apart = abs(locust / wrk - 1)
        within = within and apart <= allowed
        rows.append((key, f"{wrk:.2f}", f"{locust:.2f}", f"{apart:.1%}", f"{allowed:.0%}"))
    print("\n".join(aligned(rows)))
    return within


def _wrk(plan: Plan, folder: Path) -> dict[str, float]:
    script = folder / "load.lua"
    body = json.dumps({"inputs": plan.questions[0]}).replace("\\", "\\\\").replace("'", "\\'")
    script.write_text(SCRIPT.format(body=body, seed=plan.seed + 1, pause_ms=plan.pause_s * 1000))
    options = ("-t1", f"-c{plan.users}", f"-d{round(plan.duration_s)}s", "-s", str(script))
    command = ["wrk", *options, f"{plan.address}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"wrk failed: {done.stderr.strip()[-300:]}")
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def _locust(plan: Plan) -> dict[str, float]:
    outcome = run_load(plan)
    return {
        "p50": round(percentile(outcome.latency_ms, 50), 3),
        "p99": round(percentile(outcome.latency_ms, 99), 3),
        "throughput": round(outcome.throughput, 2),
        "errors": outcome.errors,
    }
