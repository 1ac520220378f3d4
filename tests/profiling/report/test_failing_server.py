"""A server that is killed or hangs while it is measured: the report says so, and goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from model.bundle import read_bundle
from profiling.report import latency
from profiling.report.budgets import BUDGETS, read_budgets
from profiling.report.document import document
from profiling.report.harness import Harness
from profiling.report.load.plan import Plan
from profiling.report.options import read_options
from profiling.report.probes import Probe, run_probes
from profiling.report.report_page import page
from profiling.report.texts import find_data, read_examples
from profiling.server import Server

STRUCK_AFTER_S = 2 * Plan.warmup_s
"""From the first answer on; what is answered during the warm-up is no sample."""


def struck(sign: signal.Signals) -> Any:
    """The probe of one caller, whose server is sent a signal in the middle of it."""

    def measure(harness: Harness, seconds: float) -> dict[str, Any]:
        strike = threading.Thread(target=strike_when_busy, args=(harness.server, sign))
        strike.start()
        try:
            return latency.measure_single(harness, seconds)
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
    data = find_data(bundle)
    options = read_options([str(bundle_path), "--duration", "12"])
    budgets = read_budgets(BUDGETS)
    probes = (
        Probe("killed", "struck down", 0.35, struck(signal.SIGKILL)),
        Probe("hung", "struck dumb", 0.35, struck(signal.SIGSTOP)),
        Probe("single", "one caller", 0.3, latency.measure_single),
    )
    examples = read_examples(bundle, data, "text")
    with closing(Harness(options, bundle, examples, tmp_path, budgets.target.p99_ms)) as harness:
        run_probes(harness, probes)
    killed, hung, after = (harness.results[probe.name] for probe in probes)
    assert killed["error"].startswith("struck down: the server died")
    assert killed["errors"] > 0
    assert killed["samples"] > 0, "what was measured before is kept"
    assert hung["error"] == "struck dumb: the server hung: no answer within 6 s"
    assert hung["faults"].keys() <= {"timeout", "TimeoutError"}
    assert "error" not in after
    assert after["samples"] > 0
    assert after["errors"] == 0
    content = document(harness, budgets, data, "now")
    assert content["problems"] == [killed["error"], hung["error"]]
    assert {verdict["kept"] for verdict in content["verdicts"]} >= {None}
    html = page(content)
    assert "Something failed while this was measured" in html
    assert "the server died" in html
    assert "the server hung" in html
    assert content["facts"]["errors"] is None, "two probes that count them are missing"
    assert "Not known of every probe: one failed." in html
    assert "None in these probes." not in html
    texts = [example.text for example in examples if len(example.text) > 20]
    assert len(texts) > 500
    assert [text for text in texts if text in f"{html}{content}"] == []
