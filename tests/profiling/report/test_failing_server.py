"""A server that is killed or hangs while it is measured: the report says so, and goes on."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from model.bundle import read_bundle
from profiling.report import latency
from profiling.report.bench import Bench
from profiling.report.budgets import BUDGETS, read_budgets
from profiling.report.document import document
from profiling.report.load.plan import Plan
from profiling.report.options import read_options
from profiling.report.probes import Stage, run_stages
from profiling.report.report_page import page
from profiling.report.texts import find_data, read_examples
from profiling.server import Server

STRUCK_AFTER_S = 2 * Plan.warmup_s
"""From the first answer on; what is answered during the warm-up is no sample."""


def struck(sign: signal.Signals) -> Any:
    """The stage of one caller, whose server is sent a signal in the middle of it."""

    def measure(bench: Bench, seconds: float) -> dict[str, Any]:
        strike = threading.Thread(target=strike_when_busy, args=(bench.server, sign))
        strike.start()
        try:
            return latency.measure_single(bench, seconds)
        finally:
            strike.join()

    return measure


def strike_when_busy(server: Server, sign: signal.Signals) -> None:
    before = server.log.read_bytes().count(b"\n")
    until_s = time.monotonic() + 20
    while server.log.read_bytes().count(b"\n") == before and time.monotonic() < until_s:
        time.sleep(0.02)
    time.sleep(STRUCK_AFTER_S)
    os.killpg(server.pid, sign)


def test_a_killed_and_a_hung_server_are_told(bundle_path: Path, tmp_path: Path) -> None:
    bundle = read_bundle(bundle_path)
    data = find_data(bundle, None)
    options = read_options([str(bundle_path), "--duration", "24"])
    budgets = read_budgets(BUDGETS)
    bench = Bench(
        options, bundle, read_examples(bundle, data, "text"), tmp_path, budgets.p99_ms,
        Server(bundle_path, tmp_path / "log"),
    )  # fmt: skip
    stages = (
        Stage("killed", "struck down", 0.2, struck(signal.SIGKILL)),
        Stage("hung", "struck dumb", 0.2, struck(signal.SIGSTOP)),
        Stage("single", "one caller", 0.6, latency.measure_single),
    )
    try:
        bench.server.wait_until_listening()
        bench.server.expect("GET", "/ready")
        results = run_stages(bench, stages, io.StringIO())
    finally:
        bench.server.stop()
    killed, hung, after = (results[stage.name] for stage in stages)
    assert killed["error"].startswith("struck down: the server died")
    assert killed["errors"] > 0
    assert killed["samples"] > 0, "what was measured before is kept"
    assert hung["error"] == "struck dumb: the server hung: no answer within 6 s"
    assert hung["faults"].keys() <= {"timeout", "TimeoutError"}
    assert "error" not in after
    assert after["samples"] > 0
    assert after["errors"] == 0
    found = document(bench, budgets, data, "now")
    assert found["problems"] == [killed["error"], hung["error"]]
    assert {verdict["kept"] for verdict in found["verdicts"]} >= {None}
    shown = page(found)
    assert "Something failed while this was measured" in shown
    assert "the server died" in shown
    assert "the server hung" in shown
