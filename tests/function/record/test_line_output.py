"""Lines to a descriptor that takes them, takes none for a while, or never."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from function.record.line_output import END_S, QUEUE_BYTES, LineOutput


def entry(number: int) -> dict[str, Any]:
    return {"number": number, "profile": {"filler": "x" * 900}}


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        for descriptor in (reading, writing):
            os.close(descriptor)


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def read_lines(descriptor: int, output: LineOutput) -> list[dict[str, Any]]:
    """All that waits, until nothing does."""
    content = bytearray()
    os.set_blocking(descriptor, False)

    def is_read() -> bool:
        try:
            content.extend(os.read(descriptor, 2**20))
        except BlockingIOError:
            return not output._queue
        return False

    until(is_read)
    return [json.loads(line) for line in content.splitlines()]


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_loses_a_counted_number() -> None:
    with pipe() as (reading, writing):
        output = LineOutput(writing)
        for number in range(1000):
            output.write(entry(number))
        before = read_lines(reading, output)
        output.write(entry(1000))
        (after,) = read_lines(reading, output)
    assert [line["number"] for line in before] == list(range(len(before)))
    assert QUEUE_BYTES / 1024 < len(before) < 1000
    assert len(before) + after["profile"]["dropped"] == 1000
    assert "dropped" not in before[-1]["profile"]


def test_a_line_longer_than_a_pipe_comes_whole_when_it_is_read() -> None:
    with pipe() as (reading, writing):
        output = LineOutput(writing)
        output.write({"filler": "x" * 100_000})
        output.write(entry(1))
        lines = read_lines(reading, output)
    assert [len(lines[0]["filler"]), lines[1]["number"]] == [100_000, 1]


def test_the_end_waits_for_a_slow_reader_and_not_for_none() -> None:
    content: list[bytes] = []

    def read_slowly(descriptor: int) -> None:
        while sum(map(len, content)) < 300 * len(json.dumps(entry(100))):
            content.append(os.read(descriptor, 2**14))
            time.sleep(0.1)

    with pipe() as (reading, writing):
        output = LineOutput(writing)
        for number in range(100, 401):
            output.write(entry(number))
        began_s = time.monotonic()
        output.end()
        assert output._queue
        assert time.monotonic() - began_s < 3 * END_S
        reader = threading.Thread(target=read_slowly, args=[reading])
        reader.start()
        began_s = time.monotonic()
        output.end()
        assert time.monotonic() - began_s > END_S
        assert not output._queue
        reader.join()


def test_many_threads_write_whole_lines() -> None:
    with pipe() as (reading, writing):
        output = LineOutput(writing)

        def write_fifty() -> None:
            for number in range(50):
                output.write(entry(number))

        threads = [threading.Thread(target=write_fifty) for _ in range(8)]
        for thread in threads:
            thread.start()
        lines = read_lines(reading, output)
        for thread in threads:
            thread.join()
        lines += read_lines(reading, output)
    dropped = sum(line["profile"].get("dropped", 0) for line in lines) + output._dropped
    assert len(lines) + dropped == 400


def test_a_full_disk_is_complained_of_once_and_a_torn_line_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log"
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    with Path("/dev/full").open("wb", 0) as full:
        output = LineOutput(full.fileno())
        output.write(entry(1))
        output.write(entry(2))
        os.write(descriptor, b'{"torn')
        output._is_torn = True  # as a disk that was nearly full leaves it
        os.dup2(descriptor, full.fileno())
        output.write(entry(3))
        output.write(entry(4))
    os.close(descriptor)
    torn, third, fourth = file.read_text().splitlines()
    assert torn == '{"torn'
    assert json.loads(third)["profile"]["dropped"] == 2
    assert "dropped" not in json.loads(fourth)["profile"]
    complaint = "standard output: No space left on device; log lines are dropped and counted"
    assert capfd.readouterr().err.count(complaint) == 1


def test_a_reader_that_is_gone_and_no_descriptor_at_all(
    capfd: pytest.CaptureFixture[str],
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    LineOutput(writing).write(entry(1))
    os.close(writing)
    LineOutput(None).write(entry(1))
    errors = capfd.readouterr().err
    assert "standard output: Broken pipe" in errors
    assert "standard output: it is closed" in errors
