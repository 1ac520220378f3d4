"""Turns at the processors: who waits longest is next, and a run says once how long it waited."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from model.classifier import Classifier
from model.cpus import CpuTurns
from profiling.timer import Session, timer


def test_a_turn_that_ends_is_that_of_who_waits_and_not_of_who_ended_it() -> None:
    turns = CpuTurns(1)
    order: list[str] = []

    def wait() -> None:
        turns.take()
        order.append("who waited")
        turns.give()

    assert turns.take() == 0
    thread = threading.Thread(target=wait)
    thread.start()
    while not turns._waiting:
        time.sleep(0.001)
    turns.give()
    assert turns.take() > 0
    order.append("who ended it")
    turns.give()
    thread.join()
    assert order == ["who waited", "who ended it"]
    assert turns.take() == 0


def test_turns_are_as_many_as_processors_whoever_takes_them() -> None:
    turns = CpuTurns(2)
    running: set[int] = set()
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(100):
            turns.take()
            running.add(number)
            most.append(len(running))
            running.discard(number)
            turns.give()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(most) == 600
    assert max(most) <= 2
    assert (turns._free, len(turns._waiting)) == (2, 0)


def test_a_run_that_waits_often_has_one_span_of_it(bundle_path: Path, session: Session) -> None:
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        classifier = Classifier.load(bundle_path)
    finally:
        os.sched_setaffinity(0, processors)
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            classifier.predict(["salt"])

    other = threading.Thread(target=run)
    other.start()
    with timer.span("request"):
        classifier.predict(["raw honey and butter " * 50] * 64)  # 16 runs of the graph
    ended.set()
    other.join()
    names = [span.name for span in session.spans]
    assert names.count("run") == names.count("wait") == 1
    wait = next(span for span in session.spans if span.name == "wait")
    assert wait.parent is not None
    assert wait.parent.name == "run"
    assert wait.parent.start_ms <= wait.start_ms <= wait.end_ms <= wait.parent.end_ms
