"""A bundle, a recipe and a log of an earlier version keep working, whatever changes.

They were made by commit 8745736 and are never edited: `bundle/` was shipped by it, `answers.json`
holds its classifier's answers, `function.log` its function's lines (a cold start among them),
`recipe.toml` is its shipped recipe over some rows of its table.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model.classifier import Classifier
from tests.serving import ROOT, serving

FROZEN = ROOT / "tests" / "frozen"
ANSWERS = json.loads((FROZEN / "answers.json").read_text())


def test_the_bundle_answers_as_it_did() -> None:
    predictions = Classifier.load(FROZEN / "bundle").predict(
        [answer["text"] for answer in ANSWERS], top_k=2
    )
    for prediction, answer in zip(predictions, ANSWERS, strict=True):
        assert list(prediction) == list(answer["prediction"])
        for task, labels in answer["prediction"].items():
            assert [label["label"] for label in prediction[task]] == [
                entry["label"] for entry in labels
            ]
            scores = [label["score"] for label in labels]
            assert [label["score"] for label in prediction[task]] == pytest.approx(scores, abs=0.02)


def test_the_bundle_is_served(tmp_path: Path) -> None:
    with serving(FROZEN / "bundle", tmp_path / "log", "image") as server:
        answer = server.ask({"inputs": ANSWERS[0]["text"]})
    assert answer.status == 200
    assert answer.json["bundle"] == "ingredients@76bc6b687ca8"


def command(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recipe_is_read() -> None:
    output = command("training", "check", str(FROZEN / "recipe.toml"))
    assert "300 train, 60 validation, 60 test" in output


def test_the_log_is_read() -> None:
    output = command("profiling", "logs", "--file", str(FROZEN / "function.log"))
    assert "revision polyhead-00001-abc: 7 requests, 3 predictions, 1 instances" in output.replace(
        "1 instance,", "1 instances,"
    )
    assert "cold starts: 1" in output
    document = json.loads(
        command("profiling", "logs", "--file", str(FROZEN / "function.log"), "--json")
    )
    (revision,) = document["revisions"]
    assert revision["cold_starts"]["spans_ms"]["import_framework"]["n"] == 1
