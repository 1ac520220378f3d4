"""A real, tiny run: the base's real weights, a few hundred rows, killed and started again."""

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from model.bundle import HASHED, MANIFEST, read_bundle
from model.classifier import Classifier
from tables.held_out import read_record
from training.distil.reteach import taught
from training.distil.soft_targets import agreed, committee_logits, frozen_member, votes
from training.fit.batches import examples, network_logits
from training.fit.checkpoints import CHECKPOINT_FILES, has_fast_bfloat16, newest_checkpoint
from training.fit.network import load_network
from training.judge.training_report import REPLAY, report_performance
from training.recipe import read_recipe
from training.run import Run
from training.stages import STAGE_NAMES

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "training" / "ingredients" / "ingredients.jsonl.gz"
ROWS = {"train": 400, "validation": 80, "test": 80}

RECIPE = """
name = "tiny"
base = {base}
[data]
files = ["rows.jsonl"]
group = "entry"
slice = "split"
[[task]]
name = "ingredient"
kind = "single"
[[task]]
name = "category"
kind = "multi"
[[task]]
name = "odd"
kind = "single"
[pretrain]
files = ["plain.txt", {{path = "rows.jsonl"}}]
epochs = 1
[vocabulary]
pieces = 3000
[teacher]
epochs = 5
[student]
layers = 1
epochs = 4
batch_size = 32
variants = 0
[quantize]
max_drop = 100
"""


@pytest.fixture(scope="module")
def recipe(small_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    random.Random(1).shuffle(rows)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for split, count in ROWS.items():
            for place, row in enumerate([row for row in rows if row["split"] == split][:count]):
                odd = {"odd": "once" if (split, place) == ("train", 0) else "always"}
                file.write(json.dumps({**row, **odd}) + "\n")
            file.write(json.dumps({"text": f"unlabelled text of the {split} file"}) + "\n")
    (folder / "plain.txt").write_text("smoked sea salt\n\nripe bananas\n")
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(base=json.dumps(str(small_base))))
    return path


def command(recipe: Path, out: Path, name: str = "run") -> list[str]:
    arguments = [sys.executable, "-m", "training", name, str(recipe), "--out", str(out)]
    return [*arguments, "--no-report"] if name == "run" else arguments


def run(recipe: Path, out: Path, name: str = "run") -> str:
    done = subprocess.run(
        command(recipe, out, name),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def kill_once(recipe: Path, out: Path, pattern: str) -> None:
    """Start a run and kill it with SIGKILL as soon as its work holds a file like `pattern`."""
    work = out.with_name(f"{out.name}.work")
    process = subprocess.Popen(
        command(recipe, out),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not list(work.glob(pattern)):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, f"{pattern} never came"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def trained(recipe: Path) -> tuple[Path, str]:
    """The bundle of a run that was killed in four places, which went on."""
    out = recipe.parent / "out"
    kill_once(recipe, out, "pretrain/checkpoints/checkpoint-1*")
    kill_once(recipe, out, "teacher/checkpoints/checkpoint-1*")
    kill_once(recipe, out, "student/started.json")
    kill_once(recipe, out, "student/checkpoints/checkpoint-8/optimizer.pt")
    return out, run(recipe, out)


def test_a_killed_run_goes_on_and_ends_with_a_bundle(trained: tuple[Path, str]) -> None:
    out, output = trained
    assert "warning: task odd: only one training example: 'once'" in output
    assert "warning: task odd: lopsided, 99.8 % of rows are 'always'" in output
    assert "vocabulary: finished before, kept" in output
    assert "teacher: finished before, kept" in output
    assert "student: goes on where it was stopped" in output
    assert "student: goes on from step 4" in output
    assert re.search(r"^student: step 8 of \d+ is saved$", output, re.M)
    assert {path.name for path in out.iterdir()} == {MANIFEST, *HASHED}
    for network in ("teacher", "student"):
        assert re.search(rf"^{network}: [\d,]+ tokens a second, \d+ % padding", output, re.M)
    replay = (out.with_name("out.work") / REPLAY).read_text(encoding="utf-8").splitlines()
    assert len(replay) == ROWS["test"], "for a report on the bundle under load, at any time"
    folder = out.with_name("out.report")
    page = (folder / "training.html").read_text(encoding="utf-8")
    assert all(f"<h2>{task.name}</h2>" in page for task in read_bundle(out).tasks)
    assert page.count("<svg") >= 8
    assert {"suspects.csv", "to_label.csv"} < {path.name for path in folder.iterdir()}
    report = json.loads((folder / "training.json").read_text())
    assert all(0 < report["speed"][name]["used"] < 1 for name in ("teacher", "student"))
    metrics = read_bundle(out).metrics
    assert {"teacher", "student", "int8", "baseline", "frozen"} < metrics.keys()
    assert metrics["int8"]["tasks"]["odd"]["accuracy"] == 100
    assert metrics["int8"]["tasks"]["ingredient"]["rows"] == ROWS["test"]


def trained_int8(out: Path) -> Path:
    """The held-out fit of the run that wrote `out`."""
    return out.with_name(f"{out.name}.work") / "quantize" / "int8"


def test_what_ships_was_fitted_to_all_rows_and_says_so(trained: tuple[Path, str]) -> None:
    out, output = trained
    shipped, held_out = read_bundle(out), read_bundle(trained_int8(out))
    assert shipped.model_sha256 != held_out.model_sha256
    assert shipped.tasks == held_out.tasks, "temperatures and thresholds are the held-out fit's"
    facts = shipped.metrics["refit"]
    assert facts["own_rows"]["ingredient"]["rows"] == sum(ROWS.values())
    assert facts["own_rows"]["ingredient"]["percent"] >= 97
    assert facts["own_rows"]["odd"]["percent"] >= 99
    assert facts["same_as_held_out"].keys() == facts["same_as_fp32"].keys()
    assert "What was checked of the refit" in (out / "README.md").read_text()
    assert "figures are of the held-out fit" in output
    record = read_record(out, shipped.identity)
    assert record is not None
    assert {name: len(answers) for name, answers in record.tasks.items()}["odd"] <= ROWS["test"]
    rows = {name: task["rows"] for name, task in shipped.metrics["int8"]["tasks"].items()}
    assert rows["ingredient"] == ROWS["test"]


def test_what_teachers_have_not_read_they_read_in_the_same_way(
    trained: tuple[Path, str], recipe: Path
) -> None:
    run = Run(read_recipe(recipe), trained[0])
    rows = [row for split in ("train", "validation", "test") for row in run.table.split(split)[:5]]
    network = load_network(run.work / "teacher")
    anew = agreed(run, votes(run, network, frozen_member(run), rows)[0])
    np.testing.assert_allclose(committee_logits(run, rows), anew, atol=0.1)  # bfloat16


def test_a_refit_of_few_rows_learns_from_its_teachers_and_the_student(
    trained: tuple[Path, str], recipe: Path
) -> None:
    this = Run(read_recipe(recipe), trained[0])
    rows, fitted = this.table.split("test"), this.work / "teacher"
    frozen = frozen_member(this)
    assert frozen is not None
    members, _ = votes(this, load_network(fitted), frozen.fitted_to(this, rows), rows)
    student = load_network(this.work / "student")
    of_student = network_logits(student, examples(this, rows), has_fast_bfloat16())
    head = this.heads["ingredient"]
    parts = np.stack([head.of(agreed(this, members)).ravel(), head.of(of_student).ravel()], axis=1)
    targets = head.of(taught(this, rows, rows, fitted)).ravel()
    weights = np.linalg.lstsq(parts, targets)[0]
    assert weights.min() > 0.05
    np.testing.assert_allclose(parts @ weights, targets, atol=0.01)


def test_a_killed_refit_goes_on(trained: tuple[Path, str], recipe: Path) -> None:
    out = recipe.parent / "again"
    again = out.with_name("again.work")
    shutil.copytree(trained[0].with_name("out.work"), again)
    edited = recipe.with_name("again.toml")
    edited.write_text(recipe.read_text() + '[ship]\nnever_fitted = ["test"]\n')
    kill_once(edited, out, "refit/pass-1/checkpoints/checkpoint-*/trainer_state.json")
    output = run(edited, out, "refit")
    assert "student: finished before, kept" in output
    assert "refit: goes on where it was stopped" in output
    assert "pass-0: step" not in output, "it was finished before"
    assert "pass-1: goes on from step" in output
    files = {path.name for path in (again / "refit").iterdir()}
    assert files == {"started.json", "finished.json", "model.safetensors", "network.json"}


def test_the_trained_bundle_answers(trained: tuple[Path, str]) -> None:
    (answer,) = Classifier.load(trained[0]).predict(["parliament"])
    assert list(answer) == ["ingredient", "category", "odd"]
    assert answer["odd"][0]["label"] == "always"


def test_the_bundle_has_no_text_of_the_table(trained: tuple[Path, str], recipe: Path) -> None:
    rows = recipe.with_name("rows.jsonl").read_text("utf-8").splitlines()
    texts = [text.encode() for row in rows if len(text := json.loads(row)["text"]) > 12]
    assert len(texts) > 100
    for file in trained[0].iterdir():
        content = file.read_bytes()
        assert [text for text in texts if text in content] == [], file.name


def test_the_performance_report_replays_the_test_rows_and_cannot_lose_the_bundle(
    trained: tuple[Path, str], recipe: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = trained[0]
    identity = read_bundle(out).identity
    assert not report_performance(Run(read_recipe(recipe), out), "--budgets", "nowhere.toml")
    output = capfd.readouterr().err
    assert "no performance report (exit status 2), but the bundle is whole" in output
    assert report_performance(Run(read_recipe(recipe), out), "--duration", "10")
    report = json.loads((out.with_name("out.report") / "report.json").read_text())
    assert report["bundle"]["identity"] == identity == read_bundle(out).identity
    accuracy = report["stages"]["accuracy"]
    assert accuracy["of"] == ROWS["test"]
    assert {name: task["rows"] for name, task in accuracy["tasks"].items()} == {
        name: task["rows"] for name, task in read_bundle(out).metrics["int8"]["tasks"].items()
    }
    for task in accuracy["tasks"].values():
        assert task["served"] == pytest.approx(task["claimed"], abs=1.3)  # one row of 80
    assert (out.with_name("out.report") / "report.html").is_file()


def test_a_finished_run_redoes_nothing_and_clears_what_kills_left(
    trained: tuple[Path, str], recipe: Path
) -> None:
    work = trained[0].with_name("out.work")
    (work / "bundle" / "finished.json").unlink()
    leftovers = [work / "teacher" / "checkpoints", trained[0].with_name(".out.1.new")]
    for leftover in leftovers:
        leftover.mkdir()
    output = run(recipe, trained[0])
    assert all(f"{stage}: finished before, kept" in output for stage in STAGE_NAMES[:-1])
    assert "bundle: runs again: it was stopped" in output
    assert not any(leftover.exists() for leftover in leftovers)


def test_an_edited_recipe_reruns_what_it_touches_and_says_why(
    trained: tuple[Path, str], recipe: Path
) -> None:
    edited = recipe.with_name("edited.toml")
    edited.write_text(recipe.read_text() + "block_size = 64\n[ship]\nrefit = false\n")
    output = run(edited, trained[0])
    assert "student: finished before, kept" in output
    assert "quantize: runs again: recipe block_size: 32 is now 64" in output
    assert "bundle: runs again: the stage before it ran again" in output
    assert "refit" not in output
    shipped, held_out = (read_bundle(path) for path in (trained[0], trained_int8(trained[0])))
    assert shipped.model_sha256 == held_out.model_sha256, "the held-out fit ships"
    assert "refit" not in shipped.metrics
    (trained[0] / "model.onnx").write_bytes(b"")
    output = run(edited, trained[0])
    assert "evaluate: finished before, kept" in output
    assert "bundle: runs again: its result is missing or altered" in output


def test_a_half_written_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((10, "{}"), (20, '{"global_'), (30, None), (40, "{}")):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        for name in CHECKPOINT_FILES:
            (checkpoint / name).write_bytes(b"")
        if state is not None:
            (checkpoint / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-40" / "optimizer.pt").unlink()
    assert newest_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-10"]


def test_other_peoples_files_are_not_replaced(recipe: Path) -> None:
    out = recipe.parent / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        command(recipe, out), cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 2
    assert "holds thesis.txt besides a bundle; give a new directory" in done.stderr
    assert not (recipe.parent / "precious.work" / "teacher").exists(), "it says so at once"


def test_two_processes_train_one_network(recipe: Path) -> None:
    out = recipe.parent / "shared"
    kill_once(recipe, out, "teacher/checkpoints/checkpoint-1*")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "training", "teacher", str(recipe), "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "teacher: runs again: processes: 1 is now 2" in done.stdout
    assert done.stdout.count("teacher: done") == 1
    assert (out.with_name("shared.work") / "teacher" / "model.safetensors").is_file()
