"""`python -m function TEXT ...`, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.classifier import Classifier
from model.occlusion import explain

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "function", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_texts(bundle_path: Path, classifier: Classifier) -> None:
    arguments = ["raw honey", "salt", "--tasks", "source,ingredient", "--top-k", "2"]
    done = run(*arguments, "--bundle", str(bundle_path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "predictions": classifier.predict(["raw honey", "salt"], ["source", "ingredient"], 2),
        "bundle": classifier.bundle.identity,
    }


def test_explanations(bundle_path: Path, classifier: Classifier) -> None:
    texts = ["raw honey", "butter knife"]
    done = run(*texts, "--explain", "--bundle", str(bundle_path))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["predictions"] == classifier.predict(texts)
    assert document["explanations"] == explain(classifier, texts, document["predictions"])


def test_the_bundle_may_come_from_the_environment(
    bundle_path: Path, classifier: Classifier
) -> None:
    done = run("--", "batch", BUNDLE=str(bundle_path))
    assert json.loads(done.stdout)["predictions"] == classifier.predict(["batch"])


def test_the_name_of_the_command_may_be_left_out_and_may_be_a_text(
    bundle_path: Path, classifier: Classifier
) -> None:
    for arguments in (["predict", "--", "predict"], ["--", "predict"], ["--top-k", "1", "predict"]):
        done = run(*arguments, BUNDLE=str(bundle_path))
        assert json.loads(done.stdout)["predictions"] == classifier.predict(["predict"])


def test_help_has_every_option_of_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for option in ("--bundle", "--tasks", "--top-k", "--explain", "--text", "--chunk", "--force"):
        assert f"\n  {option}" in done.stdout
    assert "A killed run of the same input, bundle and options goes on" in " ".join(
        done.stdout.split()
    )


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "the following arguments are required: TEXT"),
        (["a", "--top-k", "0"], 2, "'0': give a whole number of 1 or more"),
        (
            ["batch", "in.csv", "out.csv", "--tasks", "source,source"],
            2,
            "'source,source': name 'source' once",
        ),
        (["a", "--bundle", "/nowhere"], 1, "error: /nowhere: no such directory"),
        (["a", "--tasks", "colour"], 1, "error: unknown tasks: ['colour']; this bundle knows"),
        (
            ["batch", "in.txt", "out.csv"],
            1,
            "error: in.txt: the name must end in one of .jsonl, .js",
        ),
        (["batch", "no.csv", "out.csv"], 1, "no.csv: No such file or directory; give the"),
    ],
)
def test_mistakes(bundle_path: Path, arguments: list[str], status: int, message: str) -> None:
    done = run(*arguments, BUNDLE=str(bundle_path))
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
