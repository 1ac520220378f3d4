"""What happens, in which order? The stages of a run, each from files to files.

vocabulary  tokenizer.json, cut to the training text
teacher     the base, fine-tuned on the labels
student     some of the teacher's layers, fitted to its logits on all text
export      both as fp32 bundles, calibrated on validation
quantize    the student as an int8 bundle; refused when it lost too much on validation
evaluate    all three and a linear model on the test split, through the serving classifier
bundle      the int8 student with its metrics and model card
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from tokenizers import Tokenizer

from model.bundle import MODEL, TOKENIZER, Bundle, Task, read_bundle, write_bundle
from training import baseline, batches, card
from training.base import check_size
from training.calibrate import calibrate
from training.evaluate import evaluate, logits_of
from training.export import export_onnx
from training.gate import check_drops
from training.network import (
    ControlTokenClassifier,
    Shape,
    encoder_config,
    from_base,
    load_network,
    save_network,
    with_layers,
)
from training.objective import Objective
from training.quantize import quantize_onnx
from training.recipe import Recipe, Student, Teacher
from training.run import Run
from training.schedule import student_epochs, teacher_epochs
from training.trainer import Fit, fit
from training.vocabulary import trim_vocabulary, whole_vocabulary

TOKENS = (32, 256)  # bounds of the default max_tokens
COVERED = 99.5  # percent of the training texts that max_tokens holds whole


def vocabulary(run: Run, folder: Path) -> None:
    texts = [row.text for row in (*run.table.split("train"), *run.table.transfer)]
    trim = run.recipe.vocabulary.trim
    made = trim_vocabulary(run.base, texts) if trim else whole_vocabulary(run.base)
    (folder / TOKENIZER).write_text(made.tokenizer, encoding="utf-8")
    lengths = [len(row.ids) for row in Tokenizer.from_str(made.tokenizer).encode_batch(texts)]
    covered = int(np.ceil(np.percentile(lengths, COVERED) / 8) * 8)
    limit = run.recipe.data.max_tokens or int(np.clip(covered, *TOKENS))
    check_size(run.base, run.recipe.student.layers, limit)
    facts = {"pieces": len(made.base_ids), "max_tokens": limit, "base_ids": made.base_ids}
    (folder / "facts.json").write_text(json.dumps(facts))


def teacher(run: Run, folder: Path) -> None:
    settings = run.recipe.teacher
    train = run.table.split("train")
    network = _untrained(run, settings.attention)
    fit(
        network,
        Objective(run.kinds, run.sizes),
        run.examples(train),
        run.examples(run.table.split("validation")),
        _fit_settings(settings, teacher_epochs(settings, len(train))),
        folder / "checkpoints",
    )
    if PartialState().is_main_process:
        save_network(network, folder)


def _untrained(run: Run, attention: str) -> ControlTokenClassifier:
    torch.manual_seed(run.recipe.teacher.seed)
    facts = run.facts("vocabulary")
    tasks, pieces = len(run.recipe.tasks), facts["pieces"]
    config = encoder_config(run.base, pieces, tasks, run.max_tokens)
    shape = Shape(config, pieces, run.max_tokens, run.sizes, attention)
    cls_id = run.tokenizer.encode("").ids[0]
    network = from_base(run.base, facts["base_ids"], cls_id, shape)
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


def student(run: Run, folder: Path) -> None:
    settings = run.recipe.student
    teacher_network = load_network(run.work / "teacher")
    train = [*run.table.split("train"), *run.table.transfer]
    validation = run.table.split("validation")
    taught, judged = (
        run.examples(rows, _torch_logits(teacher_network, run.examples(rows)))
        for rows in (train, validation)
    )
    network = with_layers(teacher_network, settings.layers)
    epochs = student_epochs(run.recipe, len(run.table.split("train")), len(run.table.transfer))
    fit(
        network,
        Objective(run.kinds, run.sizes, settings.temperature, settings.alpha),
        taught,
        judged,
        _fit_settings(settings, epochs),
        folder / "checkpoints",
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


def _fit_settings(settings: Teacher | Student, epochs: int) -> Fit:
    names = [field.name for field in fields(Fit) if field.name != "epochs"]
    return Fit(epochs=epochs, **{name: getattr(settings, name) for name in names})


def export(run: Run, folder: Path) -> None:
    for name in ("teacher", "student"):
        graph = folder / f"{name}.onnx"
        export_onnx(load_network(run.work / name), graph)
        _calibrated_bundle(run, folder / name, graph)
        graph.unlink()


def quantize(run: Run, folder: Path) -> None:
    graph = folder / "int8.onnx"
    quantize_onnx(run.work / "export" / "student" / MODEL, graph, run.recipe.quantize)
    _calibrated_bundle(run, folder / "int8", graph)
    graph.unlink()
    exact, allowed = run.work / "export" / "student", run.recipe.quantize.max_drop
    facts = {"drops": check_drops(run.table, exact, folder / "int8", allowed)}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1))


def _calibrated_bundle(run: Run, target: Path, graph: Path) -> None:
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
    found["baseline"] = baseline.baseline_metrics(run.table)
    (folder / "metrics.json").write_text(json.dumps({"split": "test", **found}, indent=1))


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


@dataclass(frozen=True)
class Stage:
    name: str
    run: Callable[[Run, Path], None]
    keys: Callable[[Recipe], Any]
    """The part of the recipe that the stage's result depends on."""
    trains: bool = False
    """Under torchrun every process takes part; of other stages only the first one does."""


STAGES = (
    Stage(
        "vocabulary",
        vocabulary,
        lambda r: {"base": r.base, "trim": r.vocabulary.trim, "max_tokens": r.data.max_tokens},
    ),
    Stage("teacher", teacher, lambda r: asdict(r.teacher), trains=True),
    Stage("student", student, lambda r: asdict(r.student), trains=True),
    Stage("export", export, lambda r: {"name": r.name}),
    Stage("quantize", quantize, lambda r: asdict(r.quantize)),
    Stage("evaluate", evaluate_all, lambda r: {}),
    Stage("bundle", bundle, lambda r: asdict(r.card)),
)
