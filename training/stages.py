"""What happens, in which order? The stages of a run, each from files to files.

vocabulary  tokenizer.json, cut to the training text
pretrain    the base, fitted to unlabelled text; only where the recipe has [pretrain]
teacher     the base, fine-tuned on the labels
soft        the teacher's logits on all text, and a linear model's with them
student     some of the teacher's layers, fitted to those
export      both as fp32 bundles, calibrated on validation
quantize    the student as an int8 bundle; refused when it lost too much on validation
evaluate    all three and a linear model on the test split, through the serving classifier
bundle      the int8 student with its metrics and model card
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from tokenizers import Tokenizer

from model.bundle import MODEL, TOKENIZER, Bundle, Task, read_bundle, write_bundle
from training.distil.committee import combine, fit_weights
from training.distil.narrow import with_width
from training.distil.prune import GradualPruning, with_heads, with_neurons
from training.fit import batches
from training.fit import pretrain as masked_model
from training.fit.base import check_size
from training.fit.network import (
    ControlTokenClassifier,
    Shape,
    encoder_config,
    from_base,
    load_network,
    save_network,
    with_layers,
)
from training.fit.objective import Objective
from training.fit.schedule import student_epochs, teacher_epochs
from training.fit.trainer import fit
from training.fit.vocabulary import trim_vocabulary, whole_vocabulary
from training.judge import baseline, card
from training.judge.calibrate import calibrate, fit_biases
from training.judge.evaluate import evaluate, logits_of
from training.judge.fast_text import fasttext_metrics
from training.judge.mistakes import mistakes
from training.quantize.export import export_onnx
from training.quantize.gate import best_attempt
from training.quantize.ranking import EMBEDDINGS, rank_layers
from training.quantize.schemes import quantize_onnx
from training.recipe import Fitting, Quantize, Recipe
from training.rows.table import Row
from training.rows.unlabelled import read_texts
from training.run import Run

TOKENS = (32, 256)  # bounds of the default max_tokens
SOFT = ("train.npy", "validation.npy")
COVERED = 99.5  # percent of the training texts that max_tokens holds whole


def vocabulary(run: Run, folder: Path) -> None:
    texts = [row.text for row in (*run.table.split("train"), *run.table.transfer)]
    trim, pieces = run.recipe.vocabulary.trim, run.recipe.vocabulary.pieces
    trims = trim or pieces is not None
    made = trim_vocabulary(run.base, texts, pieces) if trims else whole_vocabulary(run.base)
    (folder / TOKENIZER).write_text(made.tokenizer, encoding="utf-8")
    lengths = [len(row.ids) for row in Tokenizer.from_str(made.tokenizer).encode_batch(texts)]
    covered = int(np.ceil(np.percentile(lengths, COVERED) / 8) * 8)
    limit = run.recipe.data.max_tokens or int(np.clip(covered, *TOKENS))
    check_size(run.base, run.recipe.student.layers, limit, run.recipe.student.width)
    facts = {"pieces": len(made.base_ids), "max_tokens": limit, "base_ids": made.base_ids}
    (folder / "facts.json").write_text(json.dumps(facts))


def pretrain(run: Run, folder: Path) -> None:
    settings = run.recipe.pretrain
    assert settings is not None
    texts = read_texts(settings.files, run.table)
    base_ids = run.facts("vocabulary")["base_ids"]
    masked_model.pretrain(run.base, base_ids, run.tokenizer, texts, settings, folder)


def teacher(run: Run, folder: Path) -> None:
    settings = run.recipe.teacher
    train = run.table.split("train")
    network = _untrained(run, settings.attention)
    fit(
        network,
        Objective(run.kinds, run.sizes),
        _misspelt(run, train, run.examples(train), settings),
        run.examples(run.table.split("validation")),
        settings,
        teacher_epochs(settings, len(train)),
        folder / "checkpoints",
    )
    if PartialState().is_main_process:
        save_network(network, folder)


def _misspelt(
    run: Run, rows: list[Row], examples: list[batches.Example], settings: Fitting
) -> batches.Misspelt:
    return batches.Misspelt(examples, [row.text for row in rows], settings.typos, run.encode)


def _untrained(run: Run, attention: str) -> ControlTokenClassifier:
    torch.manual_seed(run.recipe.teacher.seed)
    base, base_ids = run.encoder
    tasks, pieces = len(run.recipe.tasks), len(base_ids)
    config = encoder_config(base, pieces, tasks, run.max_tokens)
    shape = Shape(config, pieces, run.max_tokens, run.sizes, attention)
    cls_id = run.tokenizer.encode("").ids[0]
    network = from_base(base, base_ids, cls_id, shape)
    known = batches.targets(run.table, run.table.split("train"))
    network.start_heads_at(_frequencies(run, known))
    return network


def _frequencies(run: Run, known: Any) -> list[torch.Tensor]:
    biases, start = [], 0
    for kind, size in zip(run.kinds, run.sizes, strict=True):
        target = known[:, start : start + size]
        start += size
        target = target[~np.isnan(target[:, 0])]
        share = torch.from_numpy((target.sum(0) + 0.5) / (len(target) + 1))
        biases.append(share.log() if kind == "single" else share.logit())
    return biases


def soft(run: Run, folder: Path) -> None:
    """Logits [rows, labels] of training text and validation: the teacher's, or the committee's."""
    network, parts = load_network(run.work / "teacher"), _student_rows(run)
    logits = [_torch_logits(network, run.examples(rows)) for rows in parts]
    if run.recipe.student.committee:
        second = [run.linear.decision_values([row.text for row in rows]) for rows in parts]
        truth = batches.targets(run.table, parts[1])
        weights = fit_weights(run.kinds, run.sizes, (logits[1], second[1]), truth)
        members = zip(logits, second, strict=True)
        logits = [combine(weights, run.sizes, pair) for pair in members]
    for name, part in zip(SOFT, logits, strict=True):
        np.save(folder / name, part)


def _student_rows(run: Run) -> tuple[list[Row], list[Row]]:
    """All text that the student learns from, and that it is judged by on the way."""
    return [*run.table.split("train"), *run.table.transfer], run.table.split("validation")


def student(run: Run, folder: Path) -> None:
    settings = run.recipe.student
    teacher_network = load_network(run.work / "teacher")
    train, validation = _student_rows(run)
    taught = [np.load(run.work / "soft" / name) for name in SOFT]
    network = with_neurons(with_layers(teacher_network, settings.layers), settings.feed_forward)
    network = with_heads(with_width(network, settings.width), settings.heads)
    epochs = student_epochs(run.recipe, len(run.table.split("train")), len(run.table.transfer))
    fit(
        network,
        Objective(run.kinds, run.sizes, settings.temperature, settings.alpha),
        _misspelt(run, train, run.examples(train, taught[0]), settings),
        run.examples(validation, taught[1]),
        settings,
        epochs,
        folder / "checkpoints",
        [GradualPruning(network, settings.sparsity)] if settings.sparsity else [],
    )
    if PartialState().is_main_process:
        save_network(network, folder)


@torch.no_grad()
def _torch_logits(network: ControlTokenClassifier, rows: list[batches.Example]) -> Any:
    """float32 [rows, labels]: the teacher's logits, computed once in batches of like length."""
    collate = batches.Collator(tuple(network.control_ids.tolist()))
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]["input_ids"]))
    logits = np.empty((len(rows), sum(network.shape.head_sizes)), np.float32)
    for start in range(0, len(order), 256):
        places = order[start : start + 256]
        batch = collate([rows[place] for place in places])
        logits[places] = network(batch["input_ids"], batch["attention_mask"]).numpy()
    return logits


def export(run: Run, folder: Path) -> None:
    for name in ("teacher", "student"):
        export_network(run, name, folder / name)


def export_network(run: Run, stage: str, target: Path) -> None:
    """The network that `stage` trained as an fp32 bundle in `target`."""
    graph = target.with_name(f"{target.name}.onnx")
    network = load_network(run.work / stage)
    _even_out(run, network)
    export_onnx(network, graph)
    calibrated_bundle(run, target, graph)
    graph.unlink()


@torch.no_grad()
def _even_out(run: Run, network: ControlTokenClassifier) -> None:
    """Shift the biases of single-label heads to what validation asks for, in place."""
    rows = run.table.split("validation")
    logits, truth = _torch_logits(network, run.examples(rows)), batches.targets(run.table, rows)
    start = 0
    for kind, head in zip(run.kinds, network.heads, strict=True):
        assert isinstance(head, torch.nn.Linear)
        columns = slice(start, start + head.out_features)
        start = columns.stop
        labelled = ~np.isnan(truth[:, columns.start])
        if kind == "single" and labelled.any():
            wanted = truth[labelled, columns].astype(np.float64)
            bias = fit_biases(logits[labelled, columns].astype(np.float64), wanted)
            head.bias.copy_(head.bias + torch.from_numpy(bias))


def quantize(run: Run, folder: Path) -> None:
    exact, settings = run.work / "export" / "student", run.recipe.quantize
    texts = [row.text for row in run.table.split("validation")]
    ranking = rank_layers(exact, texts, settings)
    worst = [entry["layer"] for entry in ranking if entry["layer"] != EMBEDDINGS]

    def make(attempt: Quantize) -> Path:
        graph = folder / "int8.onnx"
        quantize_onnx(exact / MODEL, graph, attempt)
        calibrated_bundle(run, folder / "int8", graph)
        graph.unlink()
        return folder / "int8"

    facts = best_attempt(run.table, exact, settings, worst, make)
    (folder / "facts.json").write_text(json.dumps({**facts, "ranking": ranking}, indent=1))


def calibrated_bundle(run: Run, target: Path, graph: Path) -> None:
    """Write a bundle of `graph`, its temperatures and thresholds fitted on validation."""
    pieces = run.facts("vocabulary")["pieces"]
    tasks = tuple(
        Task(
            task.name,
            task.kind,
            labels,
            pieces + place,
            thresholds=(0.5,) * len(labels) if task.kind == "multi" else None,
        )
        for place, (task, labels) in enumerate(zip(run.table.tasks, run.table.labels, strict=True))
    )
    _write(run, target, graph, tasks)
    rows = run.table.split("validation")
    fitted = calibrate(tasks, logits_of(target, rows), batches.targets(run.table, rows))
    _write(run, target, graph, fitted)


def _write(run: Run, target: Path, graph: Path, tasks: tuple[Task, ...]) -> None:
    write_bundle(
        target,
        name=f"{run.recipe.name}-{target.name}",
        base=run.recipe.base,
        max_tokens=run.max_tokens,
        tasks=tasks,
        model=graph,
        tokenizer=run.work / "vocabulary" / TOKENIZER,
        card=f"# {run.recipe.name}, {target.name}\n\nAn intermediate stage.\n",
        metrics={},
    )


def evaluate_all(run: Run, folder: Path) -> None:
    bundles = {
        "teacher": run.work / "export" / "teacher",
        "student": run.work / "export" / "student",
        "int8": run.work / "quantize" / "int8",
    }
    found = {name: evaluate(run.table, path) for name, path in bundles.items()}
    found["baseline"] = baseline.baseline_metrics(run.table, run.linear)
    if second := fasttext_metrics(run.table):
        found["fasttext"] = second
    (folder / "metrics.json").write_text(json.dumps({"split": "test", **found}, indent=1))
    wrong = mistakes(run.table, bundles["int8"])
    (folder / "mistakes.json").write_text(json.dumps(wrong, indent=1, ensure_ascii=False))


def bundle(run: Run, folder: Path) -> None:
    int8 = read_bundle(run.work / "quantize" / "int8")
    found = json.loads((run.work / "evaluate" / "metrics.json").read_text())
    made = write_bundle(
        run.target,
        name=run.recipe.name,
        base=int8.base,
        max_tokens=int8.max_tokens,
        tasks=int8.tasks,
        model=int8.path / MODEL,
        tokenizer=int8.path / TOKENIZER,
        card=card.model_card(run.recipe, run.table, found, _bytes(int8)),
        metrics=found,
    )
    (folder / "digest.txt").write_text(made.digest)


def _bytes(bundle: Bundle) -> int:
    return sum((bundle.path / name).stat().st_size for name in (MODEL, TOKENIZER))


def _given(settings: Any) -> dict[str, Any]:
    """What is set: a key that is absent by default may come into the recipe unnoticed."""
    return {key: value for key, value in asdict(settings).items() if value is not None}


def _but_files(settings: Any) -> dict[str, Any]:
    """The files themselves are what every run stands on: see pipeline."""
    return {key: value for key, value in asdict(settings).items() if key != "files"}


@dataclass(frozen=True)
class Stage:
    name: str
    run: Callable[[Run, Path], None]
    keys: Callable[[Recipe], Any]
    """The part of the recipe that the stage's result depends on."""
    trains: bool = False
    """Under torchrun every process takes part; of other stages only the first one does."""
    optional: bool = False
    """Left out where the recipe has no section of that name."""


STAGES = (
    Stage(
        "vocabulary",
        vocabulary,
        lambda r: {"base": r.base, **_given(r.vocabulary), "max_tokens": r.data.max_tokens},
    ),
    Stage("pretrain", pretrain, lambda r: _but_files(r.pretrain), trains=True, optional=True),
    Stage("teacher", teacher, lambda r: _given(r.teacher), trains=True),
    Stage("soft", soft, lambda r: {"committee": r.student.committee}),
    Stage("student", student, lambda r: _given(r.student), trains=True),
    Stage("export", export, lambda r: {"name": r.name}),
    Stage("quantize", quantize, lambda r: asdict(r.quantize)),
    Stage("evaluate", evaluate_all, lambda r: {}),
    Stage("bundle", bundle, lambda r: asdict(r.card)),
)
