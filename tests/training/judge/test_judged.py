"""Does one inference give metrics, slices and mistakes, whatever labels a bundle knows?"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle import read_bundle
from model.bundle_writer import copied_bundle
from tables.held_out import read_record
from training.judge.drops import Drop
from training.judge.evaluate import evaluate
from training.judge.judged import judge_answers, judge_bundle, metrics_of
from training.judge.mistakes import mistake_tables, mistakes
from training.judge.ship_bundle import metrics_table, ship
from training.judge.ship_bundle import run as ship_stage
from training.judge.training_report import write_report
from training.recipe import read_recipe
from training.rows.table import Table, read_table
from training.run import Run

FOODS = [("raw honey", "ingredient"), ("butter knife", "not_ingredient"), ("salt", "ingredient")]
RECIPE = """
data = {files = ["rows.jsonl"], slice = "slice"}
task = [
    {name = "ingredient", kind = "single"},
    {name = "category", kind = "multi"},
    {name = "unheard", kind = "single"},
]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows: list[dict[str, Any]] = []
    for split in ("train", "validation", "test"):
        for place in range(60):
            text, label = FOODS[place % 3]
            rows.append({"text": text, "split": split, "ingredient": label, "unheard": "of"})
            rows[-1]["slice"] = "tools" if label == "not_ingredient" else "foods"
            rows[-1]["category"] = ["beyond"] if place == 0 else None
        rows.append({"text": "raw honey", "split": split, "ingredient": None, "unheard": "of"})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def table(recipe: Path) -> Table:
    return read_table(read_recipe(recipe))


def test_tasks_and_labels_are_matched_by_name(
    table: Table, bundle_path: Path, tmp_path: Path
) -> None:
    """`unheard` is no task of the bundle, `beyond` no label of it; the order does not matter."""
    bundle = read_bundle(bundle_path)
    judged = judge_bundle(table, bundle_path, "test")
    assert [task.name for task in judged] == ["ingredient", "category"]
    assert [len(task.rows) for task in judged] == [60, 1]
    assert judged[0].headline == 100
    assert judged[0].scores is not None
    assert (judged[0].scores.argmax(1) == judged[0].truth.argmax(1)).all()
    category = judged[1]
    assert category.labels[0] == "beyond"
    assert set(category.labels[1:]) == set(bundle.heads["category"].labels)
    assert category.answers.any(), "the bundle answers with its own labels"
    assert category.headline == 0, "which are all wrong"
    turned = tmp_path / "turned"
    first = bundle.tasks[0].changed(labels=bundle.tasks[0].labels[::-1])
    copied_bundle(bundle, turned, tasks=(first, *bundle.tasks[1:]))
    assert judge_bundle(table, turned, "test")[0].headline == 0


def test_a_slice_of_one_true_class_has_an_unknown_macro_f1(table: Table) -> None:
    rows = table.split("test")
    answers = np.zeros((len(rows), table.heads.width), np.bool_)
    table.heads["ingredient"].of(answers)[:, 0] = True  # "ingredient" to every row
    metrics = metrics_of(judge_answers(table, rows, answers), rows)
    assert set(metrics["slices"]) == {"foods", "tools"}
    foods, tools = (metrics["slices"][name]["ingredient"] for name in ("foods", "tools"))
    assert (foods["accuracy"], foods["macro_f1"]) == (100, None)
    assert (tools["accuracy"], tools["macro_f1"]) == (0, None)
    assert metrics["tasks"]["ingredient"]["macro_f1"] == pytest.approx(40, abs=0.01)
    known = replace(table, tasks=table.tasks[:1])
    shown = metrics_table(known, {"int8": {"tasks": {"ingredient": foods}}})
    assert "**student, int8** | 100.0 [34.2, 100.0] (-)" in shown, "two texts, however often"


def test_mistakes_name_texts_labels_and_scores(table: Table, bundle_path: Path) -> None:
    judged = judge_bundle(table, bundle_path, "test")
    facts = mistakes(judged)
    assert facts["ingredient"]["confusion"] == [[40, 0], [0, 20]]
    assert facts["ingredient"]["confused"] == facts["ingredient"]["confident"] == []
    category = facts["category"]
    assert category["labels"][0] == {"label": "beyond", "rows": 1, "missed": 1, "extra": 0}
    assert category["confident"][0] == {
        "text": "raw honey", "truth": "beyond", "answer": "-", "score": 0.0,
    }  # fmt: skip
    assert facts["ingredient"]["recall"] == [
        {"label": "ingredient", "rows": 40, "recall": 100, "low": 34.24, "high": 100},
        {"label": "not_ingredient", "rows": 20, "recall": 100, "low": 20.65, "high": 100},
    ]
    text = mistake_tables(facts)
    assert "Recall of each label, lowest first; the mean is 100.0:" in text
    assert "| beyond | 1 | 0.0 |" in text
    assert "## Mistakes: ingredient" in text
    assert "| ingredient | 40 | 0 |" in text
    assert "| raw honey | beyond | - | 0.0 |" in text


def test_a_bundle_that_ships_fp32_is_reported_with_its_own_metrics(
    recipe: Path, bundle_path: Path, tmp_path: Path
) -> None:
    """The calibration error in the report and the slices of the card are the student's."""
    run = Run(read_recipe(recipe), tmp_path / "out")
    student = evaluate(run.table, bundle_path)
    assert student["tasks"]["ingredient"]["ece"] is None, "60 rows tell nothing of it"
    unheard = {"rows": 61, "accuracy": 100.0, "macro_f1": 100.0, "ece": None}
    student["tasks"]["unheard"] = {**unheard, "interval": [94.1, 100.0]}
    for tasks in student["slices"].values():
        tasks["unheard"] = student["tasks"]["unheard"]
    int8 = json.loads(json.dumps(student))
    student["tasks"]["ingredient"]["ece"], int8["tasks"]["ingredient"]["ece"] = 1.25, 9.75
    lost = asdict(Drop("ingredient", 60, 100, 80, 20, 10, 30))
    behind = {"tasks": [{"baseline": "baseline", **lost}], "reasons": ["few rows"]}
    metrics = {"split": "test", "student": student, "int8": int8, "shipped": "student"}
    metrics["behind"] = behind
    ship(run.recipe, run.table, read_bundle(bundle_path), metrics, run.target)
    files: dict[str, Any] = {
        "quantize/facts.json": {"drops": {}, "unsure": [], "ranking": []},
        "evaluate/mistakes.json": {},
        "evaluate/held_out.json": {"tasks": {"ingredient": {"0123456789ab": ["ingredient"]}}},
    }
    for name, facts in files.items():
        path = run.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts))
    write_vocabulary(run, bundle_path)
    text = write_report(run, {"bundle": {"wall": 1.0, "cpu": 1.0}})
    assert "expected calibration error, percent: ingredient 1.25 (60 rows)" in text
    assert "unheard not told: 61 rows are too few" in text
    assert "**student, fp32**" in text
    card = (run.target / "README.md").read_text()
    assert "The student, fp32, by slice" in card
    weak = "ingredient: 60 test rows are too few for 100.0, which may be 43.9 to 100.0; about"
    assert f"warning: {weak}" in text
    assert f"- Warning: {weak}" in card
    worse = "ingredient: 80.0 is worse than the 100.0 of"
    assert text.startswith(f"warning: {worse}")
    document = json.loads((run.report / "training.json").read_text())
    assert document["warnings"][0].startswith(worse)
    assert document["warnings"][1] == "what may be the reason: few rows"
    assert document["warnings"][2].startswith(weak)


def test_int8_that_may_have_lost_too_much_ships_with_a_warning(
    recipe: Path, bundle_path: Path, tmp_path: Path
) -> None:
    run = Run(read_recipe(recipe), tmp_path / "out")
    path = run.work / "quantize" / "facts.json"
    path.parent.mkdir(parents=True)
    lost, kept = Drop("category", 100, 80, 77, 3, -1, 7), Drop("ingredient", 60, 90, 90, 0, -4, 4)
    drops = {drop.task: asdict(drop) for drop in (lost, kept)}
    path.write_text(json.dumps({"drops": drops, "unsure": [*drops], "ranking": []}))
    for stage in ("quantize", "verify"):
        copied_bundle(read_bundle(bundle_path), run.work / stage / "int8")
    own = {"rows": 60, "wrong": 3, "percent": 95.0, "contradicted": 0, "enough": 99.5}
    facts = {
        "own_rows": {"ingredient": own},
        "never_fitted": [],
        "texts": {"unlabelled": False, "count": 61},
        "same_as_held_out": {"ingredient": 98.5},
        "same_as_fp32": {"ingredient": 100.0},
    }
    (run.work / "verify" / "facts.json").write_text(json.dumps(facts))
    (run.work / "evaluate").mkdir()
    metrics = evaluate(run.table, bundle_path)
    metrics["tasks"]["unheard"] = metrics["tasks"]["ingredient"]
    for tasks in metrics["slices"].values():
        tasks["unheard"] = tasks["ingredient"]
    (run.work / "evaluate" / "metrics.json").write_text(json.dumps({"int8": metrics}))
    (run.work / "evaluate" / "mistakes.json").write_text("{}")
    answers = {"ingredient": {"0123456789ab": ["ingredient"]}}
    (run.work / "evaluate" / "held_out.json").write_text(json.dumps({"tasks": answers}))
    (run.work / "bundle").mkdir()
    ship_stage(run, run.work / "bundle")
    card = (run.target / "README.md").read_text()
    warning = "int8 against fp32 on validation, category: lost 3.00 points (-1.00 to 7.00)"
    assert f"- Warning: {warning}" in card
    assert "ingredient: lost" not in card, "as measured it lost nothing"
    write_vocabulary(run, bundle_path)
    text = write_report(run, {"bundle": {"wall": 1.0, "cpu": 1.0}}, ["of the table"])
    assert "warning: of the table" in text
    assert f"warning: {warning}; 100 rows are too few to tell whether the loss is above" in text
    assert "warning: int8 against fp32 on validation, ingredient: lost 0.00 points" in text
    assert "Of the held-out fit." in card
    assert "| ingredient | 95.0 | 60 | 98.5 | 100.0 |" in card
    assert "warning: ingredient: 95.0 % of its own rows are answered as they are labelled" in text
    shipped = read_bundle(run.target)
    assert shipped.metrics["refit"] == facts
    record = read_record(shipped.path, shipped.identity)
    assert record is not None
    assert record.tasks == answers


def write_vocabulary(run: Run, bundle: Path) -> None:
    """What the stage `vocabulary` would have left, of the bundle's tokenizer."""
    run.tokenizer_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundle / "tokenizer.json", run.tokenizer_path)
    run.tokenizer_path.with_name("facts.json").write_text(json.dumps({"max_tokens": 32}))
