"""A whole run from a base of each family: table to bundle, int8's gate, and the classifier."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.classifier import Classifier
from training.pipeline import run_stages
from training.recipe import read_recipe
from training.run import Run
from training.studies.small_bases import FAMILIES, write_small_run

ROWS = {"train": 160, "validation": 60, "test": 40}
TEXTS = ("raw honey", "BONELESS chicken breast", "牛奶和蜂蜜", "<s></s>[SEP]<mask>", "", "x" * 4000)
IN_EVERY_TEST = "xlm-roberta"


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=[] if name == IN_EVERY_TEST else [pytest.mark.bases])
        for name in FAMILIES
    ],
)
def test_a_bundle_comes_out_and_answers_as_its_network_does(family: str, tmp_path: Path) -> None:
    recipe = read_recipe(write_small_run(family, tmp_path, rows=ROWS, steps=8, max_drop=100))
    run = Run(recipe, tmp_path / "bundle")
    run_stages(run)
    exact = Classifier.load(run.work / "export" / "student")
    together = exact.logits(TEXTS)
    for task, head in zip(exact.bundle.tasks, exact.bundle.heads, strict=True):
        for text, expected in zip(TEXTS, together, strict=True):
            alone = exact.logits([text], [task.name])[0]
            np.testing.assert_allclose(alone[head.columns], expected[head.columns], atol=1e-5)
    shipped = Classifier.load(run.target)
    answers = shipped.predict_detailed(TEXTS)
    assert answers.truncated == [len(TEXTS) - 1]
    assert [set(answer) for answer in answers.predictions] == [{"source", "category"}] * len(TEXTS)
    assert {answer["source"][0]["label"] for answer in answers.predictions} <= set(
        shipped.bundle.tasks[0].labels
    )


@pytest.mark.bases
def test_int8_of_a_gated_base_collapses_and_the_gate_finds_a_cure(tmp_path: Path) -> None:
    recipe = read_recipe(write_small_run("modernbert", tmp_path, outliers=True))
    run = Run(recipe, tmp_path / "bundle")
    run_stages(run, "quantize")
    facts = json.loads((run.work / "quantize" / "facts.json").read_text())
    assert recipe.quantize.scheme == "dynamic"
    assert facts["tried"][0].startswith("dynamic: ")
    lost = float(facts["tried"][0].split("source ")[1].split()[0])
    assert lost > 2 * recipe.quantize.max_drop, "10 to 54 points: the docs are in its tokenizer"
    assert facts["settings"]["scheme"] == "matmul_nbits" or facts["settings"]["keep"]
    assert facts["settings"]["weight_bits"] == 8, "the recipe sets the student's layers"
    assert max(drop["drop"] for drop in facts["drops"].values()) <= recipe.quantize.max_drop
