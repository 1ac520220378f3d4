"""A step is a process of its own that is timed and weighed; both tables follow from its figures."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from model.bundle import MODEL, read_bundle
from profiling.bench import lineage
from profiling.bench.contenders import LAST_NETWORK, NEEDS, missing
from profiling.bench.lineage import STEP, Step, measure
from profiling.percentiles import summarize


def test_the_bundles_step_is_timed_and_weighed(bundle_path: Path) -> None:
    command = (sys.executable, STEP, "bundle", str(bundle_path), "raw honey", "5")
    figures = measure(Step("ours", command))
    assert 0 < figures["run_ms"] < figures["start_ms"]
    assert figures["memory_mb"] > 20


def test_a_graphs_step_takes_a_row_of_ids(bundle_path: Path, tmp_path: Path) -> None:
    shutil.copyfile(bundle_path / MODEL, tmp_path / MODEL)
    first = min(task.control_id for task in read_bundle(bundle_path).tasks)
    (tmp_path / "network.json").write_text(json.dumps({"first_control_id": first}))
    command = (sys.executable, STEP, "onnx", str(tmp_path / MODEL), "64", "5")
    step = Step("graph", command, tmp_path / MODEL)
    assert measure(step)["run_ms"] > 0
    assert step.size_mb == pytest.approx((bundle_path / MODEL).stat().st_size / 1e6)


def test_a_step_that_fails_tells_its_error() -> None:
    command = (sys.executable, STEP, "bundle", "nowhere", "raw honey", "5")
    with pytest.raises(SystemExit, match=r"(?s)step.py bundle nowhere.*failed:.*nowhere"):
        measure(Step("none", command))


def test_gains_are_of_medians(tmp_path: Path) -> None:
    table = lineage.steps(tmp_path, "raw honey", 1)
    names = {"pipelines": 300.0, "multitask": 100.0, "python": 10.0, "node": 20.0}
    summaries = {
        name: {key: summarize([value] * 3) for key in lineage.THEIRS}
        for name, value in names.items()
    }
    text = lineage.steps_table(table, summaries)
    assert "| our int8 bundle, Python | 3 | 10 | 10 | 10.00 |" in text
    assert "| **total gain, Python** |  | **30x** | **30x** | **30x** |" in text


def test_what_must_be_made_first_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NEEDS, tmp_path / "absent", "make absent")
    assert missing([tmp_path / "absent", tmp_path / "absent", tmp_path]) == [
        f"{tmp_path / 'absent'} is not there; run: make absent"
    ]
    assert NEEDS[LAST_NETWORK].startswith("python -m training.studies.lineage_networks make")
