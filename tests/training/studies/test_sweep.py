"""A real, tiny sweep: killed, started again, drawn, and its choice served."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from model.bundle import HASHED, MANIFEST, read_bundle
from model.classifier import Classifier
from tests.training.studies.conftest import ROOT, WriteRecipe, run_training, training_command
from training.__main__ import main
from training.studies.sweep.deadline import BudgetSpentError, training_time

SECTIONS = """
[[task]]
name = "category"
kind = "multi"
[teacher]
steps = 8
[student]
layers = 2
steps = 4
variants = 0
[quantize]
max_drop = 100
[sweep]
layers = [1, 6]
widths = [128, 100]
pieces = [2400, 90000]
max_tokens = [12]
threads = [1]
"""
NETWORKS = ("teacher", "2x384", "1x128", "2x384-2400")
LIMITED = ("2x384 fp32, 12 tokens", "2x384 int8, 12 tokens")


@pytest.fixture(scope="module")
def arguments(write_recipe: WriteRecipe) -> list[str]:
    recipe = write_recipe("tiny", SECTIONS)
    return [str(recipe), "--out", str(recipe.with_name("out"))]


@pytest.fixture(scope="module")
def swept(arguments: list[str]) -> tuple[Path, str]:
    """The output of a sweep that was killed after its first student, and went on."""
    out = Path(arguments[-1])
    process = subprocess.Popen(
        training_command("sweep", *arguments),
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 300
    record = out.with_name("out.work") / "sweep" / "points" / "2x384" / "record.json"
    while not record.exists():
        assert process.poll() is None, "the sweep ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return out, run_training("sweep", *arguments, "--max-mb", "3")


def document(out: Path) -> Any:
    return json.loads((out.with_name("out.report") / "sweep.json").read_text())


def test_a_killed_sweep_goes_on_and_trains_nothing_twice(swept: tuple[Path, str]) -> None:
    printed = swept[1]
    assert "teacher: measured before, kept" in printed
    assert "2x384: measured before, kept" in printed
    assert "1x128: trained and measured now" in printed
    assert "1x128: measured and saved" in printed
    trained = re.findall(r"^teacher: runs.*$", printed, re.MULTILINE)
    assert len(trained) == 1, "one more teacher, for the other vocabulary"


def test_every_network_is_measured_in_each_precision_and_limit(swept: tuple[Path, str]) -> None:
    points = {point["name"]: point for point in document(swept[0])["points"]}
    names = {f"{network} {kind}" for network in NETWORKS for kind in ("fp32", "int8")}
    assert points.keys() == names | set(LIMITED)
    for point in points.values():
        assert 0 < point["latencies"]["1"]["median_ms"] <= point["latencies"]["1"]["p95_ms"]
        assert point["mb"] < 48
        assert 0 < point["accuracy"] <= 100
        bundle = read_bundle(swept[0].parent / point["bundle"])
        assert bundle.max_tokens == point["max_tokens"]
    assert points["2x384-2400 int8"]["pieces"] == 2400 < points["2x384 int8"]["pieces"]
    assert points["1x128 int8"]["mb"] < points["2x384 int8"]["mb"] / 4
    assert points["2x384 int8"]["mb"] < points["2x384 fp32"]["mb"] / 3


def test_what_the_grid_cannot_have_is_printed(swept: tuple[Path, str]) -> None:
    assert "layers: 6 left out, the base has 2" in swept[1]
    assert "widths: 100 left out" in swept[1]
    assert "pieces: 90000 left out, the recipe's text uses" in swept[1]


def test_the_report_has_the_plot_and_the_front_in_bold(swept: tuple[Path, str]) -> None:
    folder = swept[0].with_name("out.report")
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (folder / "sweep.svg").read_text()
    table = (folder / "sweep.md").read_text()
    for point in document(swept[0])["points"]:
        bold = re.search(
            rf"^\| \*\*{re.escape(point['name'])}( \(the choice\))?\*\* \|", table, re.M
        )
        assert bool(bold) == bool(point["fronts"]), point["name"]


def test_the_choice_is_a_whole_bundle_within_the_limit(swept: tuple[Path, str]) -> None:
    out = swept[0]
    assert {path.name for path in out.iterdir()} == {MANIFEST, *HASHED}
    assert sum(path.stat().st_size for path in out.iterdir()) < 3e6
    report = document(out)
    fitting = [point for point in report["points"] if point["mb"] <= 3]
    (chosen,) = (point for point in fitting if point["name"] == report["choice"])
    assert chosen["accuracy"] >= max(round(point["accuracy"], 1) for point in fitting) - 0.1
    (answer,) = Classifier.load(out).predict(["raw honey"])
    assert list(answer) == ["ingredient", "category"]
    metrics = read_bundle(out).metrics
    assert {"teacher", "student", "int8", "baseline"} < metrics.keys()
    assert metrics["sweep"]["choice"] == report["choice"]


def test_limits_that_nothing_meets_leave_the_bundle_alone(
    swept: tuple[Path, str], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_bundle(swept[0]).digest
    assert main(["sweep", *arguments, "--min-accuracy", "99.9", "--max-mb", "1"]) == 1
    printed = capsys.readouterr()
    assert "nothing measured is within max_mb 1, min_accuracy 99.9" in printed.err
    assert "trained and measured now" not in printed.out
    assert read_bundle(swept[0]).digest == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it rings again
def test_a_spent_budget_says_that_the_same_command_goes_on(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = [*arguments[:-1], f"{arguments[-1]}-2"]
    assert main(["sweep", *other, "--budget-minutes", "0.01"]) == 1
    printed = capsys.readouterr().err
    assert "nothing was measured within 0.01 minutes; the same command goes on" in printed


def test_the_alarm_ends_the_body_and_is_silent_after_it() -> None:
    with pytest.raises(BudgetSpentError), training_time(0.1 / 60):
        time.sleep(5)
    with training_time(0.2 / 60):
        pass
    time.sleep(0.3)


class Swallows:
    """Python drops what is raised inside its destructor."""

    def __del__(self) -> None:
        time.sleep(0.3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_lost_in_a_destructor_rings_again() -> None:
    def lose_it_and_go_on() -> None:
        Swallows()
        time.sleep(10)

    with pytest.raises(BudgetSpentError), training_time(0.2 / 60):
        lose_it_and_go_on()


@pytest.mark.parametrize("option", ["--max-mb=0", "--budget-minutes=soon", "--max-latency-ms=nan"])
def test_a_wrong_limit_says_what_to_give(
    arguments: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sweep", *arguments, option])
    assert "give a number above 0" in capsys.readouterr().err
