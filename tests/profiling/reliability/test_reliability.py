"""The campaign, for real and short; and that it sees what it is there to see."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from model.classifier import Classifier
from profiling.reliability.callers import Callers
from profiling.reliability.kept_instance import LogReader
from profiling.reliability.traffic import CANARY, KINDS, Traffic
from tests.profiling.command import run
from tests.serving import serving

pytestmark = pytest.mark.slow
PROTOCOLS = ("bigquery", "open inference", "vertex", "hugging face")
TEXTS = ["raw honey", "butter knife", "chicken breast", "sea salt"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="without faults", marks=pytest.mark.reliability),
        pytest.param(("--faults",), id="with faults"),
    ],
)
def test_nothing_goes_wrong_in_a_short_one(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run("reliability", "--requests", "800", "--out", str(tmp_path), *options)
    name = "faults" if options else "reliability"
    report = json.loads((tmp_path / f"{name}.json").read_text())
    assert (tmp_path / f"{name}.md").read_text() == done.stdout
    # So few requests say nothing of memory, and threads are started as they are needed.
    ignored = ("memory grew", "threads at the end")
    assert [problem for problem in report["problems"] if not any(map(problem.count, ignored))] == []
    answers = report["answers"]
    assert answers["short text 200"] > 100
    assert {f"{protocol} 200" for protocol in PROTOCOLS} <= answers.keys()
    assert bool(report["faults"]) == (report["restarts"] > 0) == bool(options)
    assert sum(answers.values()) + report["unanswered_in_a_fault"] == 800


def test_a_wrong_answer_a_missing_one_and_an_odd_line_are_seen(
    bundle_path: Path, classifier: Classifier, tmp_path: Path
) -> None:
    traffic = Traffic(classifier, TEXTS, seed=1)
    for kind in ("short text", "list"):
        made = traffic._by_kind[kind]
        traffic._by_kind[kind] = [replace(each, labels=(("wrong", "wrong"),)) for each in made]
    with serving(bundle_path, tmp_path / "log", "image") as server:
        callers = Callers(traffic, server.port, 4, 1, lambda: False)
        callers.send(100)
        assert any("answered ((" in problem for problem in callers.wrong)
    callers.send(4)
    assert any("no answer (ConnectionRefusedError" in problem for problem in callers.wrong)


def test_the_reader_of_the_log_sees_what_callers_sent_and_torn_lines() -> None:
    reader = LogReader()
    lines = [{"severity": "INFO", "profile": {"dropped": 7}}, {"severity": CANARY}]
    for line in (*map(json.dumps, lines), '{"torn'):
        os.write(reader.pipe(), f"{line}\n".encode())
    reader.end()
    assert (reader.lines, reader.dropped) == (3, 7)
    assert reader.problems == ["a line has what a caller sent"]
    assert len(reader.torn) == 1


def test_all_kinds_are_drawn(classifier: Classifier) -> None:
    assert set(Traffic(classifier, TEXTS, seed=1)._by_kind) == set(KINDS)
