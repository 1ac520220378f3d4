"""Log lines as docker, Kubernetes and journald keep them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from profiling.logs.json_stream import LONGEST
from profiling.logs.wrappings import unwrapped
from tests.profiling.logs.lines import line

LINE = json.dumps(line())
LONG = json.dumps(line() | {"stack_trace": "x" * 40_000})
PIECE = 16 * 1024
"""Bytes of the longest piece that docker and CRI keep together."""


def docker(text: str, stream: str = "stdout") -> dict[str, Any]:
    return {"log": text, "stream": stream, "time": "2026-11-20T08:00:00.000000001Z"}


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2026-11-20T08:00:00.000000001Z {stream} {tag} {text}"


def journald(message: object) -> dict[str, Any]:
    return {"__REALTIME_TIMESTAMP": "1763625600000000", "PRIORITY": "6", "MESSAGE": message}


def pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


@pytest.mark.parametrize(
    "wrapped",
    [
        docker(f"{LINE}\n"),
        cri(LINE),
        cri(LINE, "F:part"),
        journald(LINE),
        journald(list(LINE.encode())),
        f"Nov 20 08:00:00 host polyhead[123]: {LINE}",
        f"polyhead-1  | {LINE}",
        f"pod/polyhead-1] {LINE} ",
    ],
    ids=["docker", "CRI", "CRI, tags", "journald", "bytes", "journalctl", "compose", "kubectl"],
)
def test_a_line_is_found_in_what_is_wrapped_around_it(wrapped: dict[str, Any] | str) -> None:
    assert list(unwrapped([wrapped])) == [json.loads(LINE)]


def test_pieces_of_a_long_line_are_put_together_by_stream() -> None:
    texts = list(pieces(f"{LONG}\n"))
    assert len(texts) == 3
    of_docker = [docker(text) for text in texts]
    of_docker.insert(1, docker("warning\n", "stderr"))
    texts = list(pieces(LONG))
    of_cri = [cri(text, "P") for text in texts[:-1]] + [cri(texts[-1])]
    of_cri.insert(2, cri("warning", stream="stderr"))
    for wrapped in (of_docker, of_cri):
        assert list(unwrapped(wrapped)) == [None, json.loads(LONG)]


def test_a_last_piece_that_never_came_is_no_loss_where_the_line_is_whole() -> None:
    assert list(unwrapped([docker(LINE)])) == [json.loads(LINE)]
    assert list(unwrapped([cri(LONG[:PIECE], "P")])) == [None]


def test_pieces_without_an_end_are_given_up() -> None:
    endless = (cri("x" * PIECE, "P") for _ in range(3 * LONGEST // PIECE))
    assert list(unwrapped([*endless, cri("x"), cri(LINE)])) == [None, json.loads(LINE)]


@pytest.mark.parametrize(
    "odd",
    [
        docker("started\n"),
        cri("started"),
        cri(LINE + "}"),
        journald(None),  # what journalctl makes of a long field, without --all
        journald([1, "x"]),
        journald([1e300, -1]),
        journald([float("nan")]),
        journald({}),
        "{",
        '{"a": 1} and more',
        '{"' * 100_000,
    ],
    ids=lambda odd: str(odd)[:60],
)
def test_what_holds_no_line_is_other_text(odd: dict[str, Any] | str) -> None:
    assert list(unwrapped([odd, LINE])) == [None, json.loads(LINE)]


@pytest.mark.parametrize("odd", [{"log": 1, "stream": "stdout"}, {"log": "x", "stream": []}])
def test_an_object_that_only_looks_wrapped_stays(odd: dict[str, Any]) -> None:
    assert list(unwrapped([odd])) == [odd]
