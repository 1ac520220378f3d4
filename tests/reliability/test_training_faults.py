"""A run that is killed or out of disk loses nothing that it said is saved: three faults of many."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.disk import can_have_own_mounts
from tests.reliability.faults import FULL, KILL
from tests.reliability.launch import ROOT
from tests.reliability.promises import Promises, half_written, taken_for_whole, wrong_complaint
from tests.reliability.training_faults import Endured, write_record

SAID = [
    "vocabulary: done in 0.1 s",
    "teacher: runs",
    "teacher: step 1 of 6 is saved",
    "teacher: step 2 of 6 is saved",
]


@pytest.mark.reliability
@pytest.mark.skipif(not can_have_own_mounts(), reason="needs root or user namespaces")
def test_nothing_is_lost_and_the_same_command_ends_with_the_same_bundle(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.reliability.training_faults", "--short"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "training_faults.json").read_text())["commands"]["run"]
    assert [fault["kind"] for fault in record["faults"]] == [FULL, KILL, FULL]
    assert record["finished"] == 1
    assert record["broken"] == record["missed"] == []


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        (["vocabulary: finished before, kept", "teacher: goes on from step 2"], None),
        (["teacher: goes on from step 3", "teacher: step 4 of 6 is saved"], None),
        (["vocabulary: runs again: it was stopped"], "vocabulary had finished"),
        (["teacher: goes on from step 1"], "teacher had saved step 2, went on from 1"),
        (["teacher: runs", "teacher: step 3 of 6 is saved"], "saved step 2, began anew"),
        (["teacher: done in 1.0 s"], "saved step 2, began anew"),
    ],
)
def test_a_run_that_breaks_what_the_one_before_said_is_noticed(
    lines: list[str], broken: str | None
) -> None:
    promises = Promises()
    assert promises.hear(SAID) == []
    told = promises.hear(lines)
    assert told == [] if broken is None else broken in told[0]


def test_networks_that_were_measured_are_not_trained_again() -> None:
    promises = Promises()
    promises.hear(["1x96: trained and measured now", "1x96: measured and saved"])
    assert promises.hear(["1x96: measured before, kept"]) == []
    assert "1x96 had been measured" in promises.hear(["1x96: trained and measured now"])[0]


def test_what_was_said_to_be_saved_and_is_not_there_is_noticed(tmp_path: Path) -> None:
    promises = Promises()
    promises.hear(SAID)
    checkpoint = tmp_path / "out.work" / "teacher" / "checkpoints" / "checkpoint-2"
    checkpoint.mkdir(parents=True)
    assert list(half_written(tmp_path / "out")) == ["checkpoint-2"]
    (checkpoint / "trainer_state.json").write_text('{"global_step": 2}')
    assert promises.broken_on_disk(tmp_path / "out") == [
        "vocabulary is not finished",
        "step 2 of teacher does not load",
    ]


def test_half_of_a_bundle_or_report_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out.report").mkdir()
    (tmp_path / "out.report" / "training.json").write_text('{"bundle":')
    (tmp_path / "out.report" / "training.md").write_text("")
    (tmp_path / "out.report" / ".training.md.12.new").write_text("")
    bundle, *report = taken_for_whole(tmp_path / "out")
    assert "bundle.json" in bundle
    assert {line.split()[0] for line in report} == {"training.json:", "training.md"}


def test_a_full_disk_has_to_be_told_in_one_line() -> None:
    told = "error: /a/b: no space is left on its disk; free some and give the same command again"
    assert wrong_complaint(f"50%\n{told}: it goes on from what is saved\n") == []
    assert wrong_complaint("RuntimeError: unexpected pos") != []
    assert "a traceback" in wrong_complaint(f"Traceback (most recent call last)\n{told}")[0]


def test_the_record_counts_faults_by_moment(tmp_path: Path) -> None:
    fault = {"kind": KILL, "moment": "teacher", "half_written": ["checkpoint-2"]}
    endured = Endured([fault, {**fault, "kind": FULL, "half_written": []}], runs=3, finished=1)
    write_record(tmp_path, 1, {"run": endured})
    text = (tmp_path / "training_faults.md").read_text()
    assert "`python -m training run`: 1 times SIGKILL and 1 times a full disk" in text
    assert "of which 1 left something half-written, in 3 runs" in text
    assert "no promises broken, no moments missed" in text
    assert "| teacher | 1 | 1 | 1 |" in text
