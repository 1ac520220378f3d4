"""How good is every bundle of a run, and how good are baselines on the same test rows?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from model.aside import write_json, write_text
from model.bundle import read_bundle
from model.classifier import Classifier
from tables.held_out import RECORD, record_text
from training.fit.batches import examples, network_logits
from training.judge.behind import behind
from training.judge.corrected_heads import corrected_network
from training.judge.fast_text import fasttext_answers
from training.judge.frozen import fit_frozen
from training.judge.held_out_answers import held_out_record
from training.judge.judged import JudgedTask, judge_answers, judge_bundle, metrics_of
from training.judge.linear import fit_linear
from training.judge.mistaken_words import name_words
from training.judge.mistakes import mistakes
from training.judge.offset_prices import RAISED, offset_prices
from training.judge.thresholds import choose
from training.rows.table import Table
from training.run import Run

METRICS, MISTAKES = "metrics.json", "mistakes.json"
"""Beside them the stage leaves the answers of int8, as tables/held_out.py declares them."""


def run(run: Run, folder: Path) -> None:
    """The stage `evaluate`: write the metrics of all contenders, and the mistakes of int8."""
    bundles = {
        "teacher": run.work / "export" / "teacher",
        "student": run.work / "export" / "student",
        "int8": run.work / "quantize" / "int8",
    }
    rows = run.table.split("test")
    judged = {name: judge_bundle(run.table, path, "test") for name, path in bundles.items()}
    metrics: dict[str, Any] = {name: metrics_of(tasks, rows) for name, tasks in judged.items()}
    baselines = judged_baselines(run)
    metrics |= {name: metrics_of(tasks, rows) for name, tasks in baselines.items()}
    metrics |= behind(run, judged["int8"], baselines)
    if offsets := run.facts("export")["student"]:
        metrics[RAISED] = offset_prices(_as_trained(run), judged["int8"], offsets)
    write_json(folder / METRICS, {"split": "test", **metrics})
    mistakes_of_int8 = mistakes(judged["int8"])
    name_words(mistakes_of_int8, Classifier.load(bundles["int8"]))
    write_json(folder / MISTAKES, mistakes_of_int8)
    answers = held_out_record(judged["int8"], read_bundle(bundles["int8"]).identity)
    write_text(folder / RECORD, record_text(answers))


def _as_trained(run: Run) -> list[JudgedTask]:
    """The student in fp32 on the test split, no label of it raised."""
    network, _ = corrected_network(run, "student", raised=False)
    rows = run.table.split("test")
    logits = network_logits(network, examples(run, rows)).astype(np.float64)
    answers = np.concatenate([choose(head.of(logits), None) for head in run.heads], axis=1)
    return judge_answers(run.table, rows, answers)


def evaluate(table: Table, bundle: Path) -> dict[str, Any]:
    """{"tasks": {task: metrics}, "slices": {slice: {task: metrics}}} on the test split."""
    return metrics_of(judge_bundle(table, bundle, "test"), table.split("test"))


def baseline_metrics(run: Run) -> dict[str, Any]:
    """{"baseline": the linear model's metrics, "frozen": those of the base without training,
    "fasttext": where it can be had}; test split."""
    rows = run.table.split("test")
    return {name: metrics_of(tasks, rows) for name, tasks in judged_baselines(run).items()}


def judged_baselines(run: Run) -> dict[str, list[JudgedTask]]:
    """What simple models answer to the test split; fastText where it can be had."""
    rows = run.table.split("test")
    texts = [row.text for row in rows]
    answers = {
        "baseline": fit_linear(run.table).answers(texts),
        "frozen": fit_frozen(run).answers(texts),
    }
    if (third := fasttext_answers(run.table, texts)) is not None:
        answers["fasttext"] = third
    return {name: judge_answers(run.table, rows, marks) for name, marks in answers.items()}
