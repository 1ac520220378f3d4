"""What reads requests, headers and logs bears any input; `tests/reliability/fuzz.py` tries more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reliability.fuzz import TARGETS, BrokenError, run, write_record
from tests.reliability.mutation import Target, inputs, pieces

EACH_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@EACH_TARGET
def test_hundreds_of_inputs_break_nothing(target: Target) -> None:
    assert sum(run(target, 500).values()) == 500


@pytest.mark.reliability
@EACH_TARGET
def test_ten_thousand_inputs_break_nothing(target: Target) -> None:
    assert sum(run(target, 10_000, seed=2).values()) == 10_000


@EACH_TARGET
def test_inputs_come_from_the_seed_and_most_differ(target: Target) -> None:
    drawn = list(inputs(target, 300, 1))
    assert drawn == list(inputs(target, 300, 1))
    assert drawn[: len(target.seeds)] == list(target.seeds)
    assert len(set(drawn)) > 200
    assert list(inputs(target, 300, 2)) != drawn


@pytest.mark.parametrize("data", [b"ab", b"raw honey", bytes(5000)])
def test_pieces_are_the_whole_in_order(data: bytes) -> None:
    assert b"".join(pieces(data)) == data
    assert len(pieces(data)) > 1
    assert all(pieces(data))


def test_what_breaks_a_target_is_told_in_few_bytes() -> None:
    def check(data: bytes) -> str:
        assert b"\xff" not in data, "it has the byte"
        return "taken"

    target = Target("bytes", "none", (b"honey and butter",), (b"bread\xffbread",), check)
    with pytest.raises(BrokenError, match="AssertionError: it has the byte") as caught:
        run(target, 1000)
    assert str(caught.value).endswith("\nb'\\xff'")


def test_the_record_counts_inputs_and_outcomes(tmp_path: Path) -> None:
    row = {"target": "trace", "code": "a.py", "seed": 1, "inputs": 3000, "broken": None}
    broken = {**row, "target": "log", "inputs": 0, "outcomes": {}, "broken": "log: input 5"}
    write_record(tmp_path, [{**row, "outcomes": {"none": 1, "a trace": 2999}}, broken])
    text = (tmp_path / "fuzz.md").read_text()
    assert "| trace | a.py | 3,000 | 2,999 a trace, 1 none |" in text
    assert "| log | a.py | 0 | broken by an input |" in text
    assert json.loads((tmp_path / "fuzz.json").read_text())["targets"][1]["broken"]
