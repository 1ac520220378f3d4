"""The steps before a deployment, and retraining: each step's shell text as written."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path

import pytest

from model.bundle import HASHED, MANIFEST, MODEL, TOKENIZER, read_bundle
from model.bundle_writer import write_bundle
from tables.held_out import RECORD, HeldOut, record_path, record_text, row_key
from tests.deploy.conftest import StandIn
from tests.deploy.operator import lines
from tests.deploy.pipeline import Pipeline
from tests.docs_text import ROOT
from training.judge.training_report import REPLAY

pytestmark = pytest.mark.gcloud
BUCKET, FOLDER = "my-project-polyhead", "bundles/mine"
FILES = (MANIFEST, *HASHED)


@pytest.fixture
def pipeline(submitted: Pipeline, tmp_path: Path) -> Pipeline:
    copied = submitted.copied(tmp_path / "workspace")
    for made in ("bundle.identity", "served", "served.report", "served.work"):
        copied.shell.run("rm", "-rf", made)
    return copied


@pytest.fixture
def stored(stand_in: StandIn, bundle_path: Path) -> dict[str, str]:
    """The shipped bundle in a bucket; the settings that name it."""
    for name in FILES:
        content = (bundle_path / name).read_bytes()
        stand_in.storage.objects[BUCKET, f"{FOLDER}/{name}"] = content
    sha256 = hashlib.sha256((bundle_path / MANIFEST).read_bytes()).hexdigest()
    return {"BUNDLE": f"gs://{BUCKET}/{FOLDER}", "BUNDLE_SHA256": sha256}


def with_training(pipeline: Pipeline) -> Pipeline:
    """The checkout with this environment as its .venv-train, as an earlier step would leave it."""
    folder = pipeline.shell.folder / ".venv-train"
    folder.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != "ready":
            (folder / part.name).symlink_to(part)
    (folder / "ready").touch()
    return pipeline


def test_a_bundle_of_the_checkout(pipeline: Pipeline, bundle_path: Path) -> None:
    done = pipeline.run("bundle")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == read_bundle(bundle_path).identity


def test_a_bundle_from_a_bucket(
    pipeline: Pipeline, stored: dict[str, str], bundle_path: Path
) -> None:
    done = pipeline.run("bundle", **stored)
    assert done.returncode == 0, done.stderr
    assert (pipeline.shell.folder / "bundle.identity").read_text().strip() == (
        read_bundle(bundle_path).identity
    )


def test_a_bundle_from_a_bucket_needs_its_hash(pipeline: Pipeline, stored: dict[str, str]) -> None:
    unsaid = pipeline.run("bundle", **{**stored, "BUNDLE_SHA256": ""})
    assert unsaid.returncode != 0
    assert "say the sha256 of bundle.json" in unsaid.stderr


def test_an_altered_manifest_is_refused(
    stand_in: StandIn, pipeline: Pipeline, stored: dict[str, str]
) -> None:
    stand_in.storage.objects[BUCKET, f"{FOLDER}/{MANIFEST}"] += b"\n"
    done = pipeline.run("bundle", **stored)
    assert done.returncode != 0
    assert "served/bundle.json: FAILED" in done.stdout


def test_an_altered_model_is_refused(
    stand_in: StandIn, pipeline: Pipeline, stored: dict[str, str]
) -> None:
    model = stand_in.storage.objects[BUCKET, f"{FOLDER}/{MODEL}"]
    stand_in.storage.objects[BUCKET, f"{FOLDER}/{MODEL}"] = model[:-1] + b"!"
    done = pipeline.run("bundle", **stored)
    assert done.returncode != 0
    assert "model.onnx: its sha256 is not the one in bundle.json" in done.stderr


def test_checks_and_tests_run(pipeline: Pipeline) -> None:
    """As written; PYTEST_ADDOPTS only narrows which tests, and the type checker keeps its cache."""
    done = with_training(pipeline).run(
        "test", PYTEST_ADDOPTS="tests/model", MYPY_CACHE_DIR=str(ROOT / ".mypy_cache")
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "All checks passed!" in done.stdout
    assert re.search(r"^=+ \d+ passed", done.stdout, re.MULTILINE)


def test_the_budgets_are_judged(pipeline: Pipeline) -> None:
    assert pipeline.run("bundle").returncode == 0
    done = with_training(pipeline).run("budgets")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="session")
def submitted_training(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("training") / "workspace"
    return stand_in.submit(folder, config="cloudbuild-train.yaml")


@pytest.fixture
def retraining(submitted_training: Pipeline, tmp_path: Path, bundle_path: Path) -> Pipeline:
    """After the deployed bundle was fetched, with a recipe of 150 test rows."""
    copied = with_training(submitted_training.copied(tmp_path / "retraining"))
    recipe = "training/recipes/ingredients.toml"
    rows = [
        {"text": text, "split": split, "ingredient": label}
        for split in ("train", "validation", "test")
        for text, label in [("raw honey", "ingredient"), ("butter knife", "not_ingredient")] * 75
    ]
    folder = copied.shell.folder
    write_answers(folder / "model" / "ingredients", swapped=False)
    (folder / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / recipe).write_text(
        '[data]\nfiles = ["../../few.jsonl"]\n[[task]]\nname = "ingredient"\nkind = "single"\n'
    )
    done = copied.run("deployed")
    assert done.returncode == 0, done.stderr
    return copied


def write_answers(bundle: Path, swapped: bool) -> None:
    """The answers that the bundle's run held out: all right, or all wrong if `swapped`."""
    labels = {"raw honey": "ingredient", "butter knife": "not_ingredient"}
    answers = [[label] for label in labels.values()][:: -1 if swapped else 1]
    keys = [row_key(text, [label]) for text, label in labels.items()]
    tasks = {"ingredient": dict(zip(keys, answers, strict=True))}
    path = record_path(bundle)
    path.parent.mkdir(exist_ok=True)
    path.write_text(record_text(HeldOut(read_bundle(bundle).identity, tasks)))


def candidate(bundle_path: Path, folder: Path, swapped: bool) -> None:
    """The shipped bundle, refitted, with the labels of `ingredient` and its answers to held-out
    rows in each other's place if `swapped`."""
    bundle = read_bundle(bundle_path)
    first, *rest = bundle.tasks
    labels = first.labels[::-1] if swapped else first.labels
    write_bundle(
        folder / "candidate",
        name="ingredients",
        base=bundle.base,
        max_tokens=bundle.max_tokens,
        tasks=(first.changed(labels=labels), *rest),
        model=bundle_path / MODEL,
        tokenizer=bundle_path / TOKENIZER,
        card="A candidate.",
        metrics={"refit": {}},
    )
    write_answers(folder / "candidate", swapped)
    work = folder / "candidate.work"
    work.mkdir()
    (work / REPLAY).write_text('{"text": "raw honey", "ingredient": "ingredient"}\n')


def test_a_bundle_as_good_is_proposed_and_can_be_deployed(
    stand_in: StandIn, retraining: Pipeline, pipeline: Pipeline, bundle_path: Path
) -> None:
    candidate(bundle_path, retraining.shell.folder, swapped=False)
    for step in ("compare", "propose"):
        done = retraining.run(step)
        assert done.returncode == 0, done.stderr
    sha256 = hashlib.sha256((retraining.shell.folder / "candidate" / MANIFEST).read_bytes())
    folder = f"gs://{BUCKET}/bundles/{sha256.hexdigest()}"
    proposed = stand_in.storage.folder(BUCKET, f"bundles/{sha256.hexdigest()}/")
    assert set(proposed) == set(FILES)
    answers = stand_in.storage.folder(BUCKET, f"bundles/{sha256.hexdigest()}.report/")
    assert set(answers) == {RECORD}
    texts = stand_in.storage.folder(BUCKET, f"bundles/{sha256.hexdigest()}.work/")
    assert set(texts) == {REPLAY}
    (line,) = lines("gcloud builds submit --config=cloudbuild.yaml")[:1]
    assert f"{line},_BUNDLE={folder},_BUNDLE_SHA256={sha256.hexdigest()}\n" in done.stdout
    fetched = pipeline.run("bundle", BUNDLE=folder, BUNDLE_SHA256=sha256.hexdigest())
    assert fetched.returncode == 0, fetched.stderr
    assert (pipeline.shell.folder / "served.work" / REPLAY).is_file()


def test_a_worse_bundle_is_refused_with_the_reason(retraining: Pipeline, bundle_path: Path) -> None:
    candidate(bundle_path, retraining.shell.folder, swapped=True)
    done = retraining.run("compare")
    assert done.returncode == 1
    assert "compared: recorded answers to rows that both held out" in done.stdout
    assert "refused: ingredient: lost 100.00 points, for certain more than 0.5" in done.stdout
    written = json.loads((retraining.shell.folder / "comparison.json").read_text())
    assert written["refused"] == ["ingredient: lost 100.00 points, for certain more than 0.5"]


def test_training_runs(retraining: Pipeline) -> None:
    """The step as written, on a recipe of one short epoch each."""
    recipe = retraining.shell.folder / "training/recipes/ingredients.toml"
    short = "[teacher]\nepochs = 1\n[student]\nepochs = 1\nlayers = 1\nvariants = 0\n"
    recipe.write_text(f"{recipe.read_text()}{short}[quantize]\nmax_drop = 100.0\n")
    done = retraining.run("train", OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "2"))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert read_bundle(retraining.shell.folder / "candidate").tasks[0].name == "ingredient"
