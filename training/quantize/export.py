"""What leaves torch? One ONNX graph that derives all it needs from `input_ids`, in a bundle."""

from __future__ import annotations

import ast
import copy
import functools
import json
import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.onnx import ONNXProgram

from model.aside import write_json
from model.bundle import Task
from model.bundle_writer import copied_bundle, write_bundle
from model.classifier import Classifier
from training.distil.shrink import DROPOUTS
from training.fit.batches import targets
from training.fit.network import ControlTokenClassifier, Shape
from training.judge.calibrate import calibrate
from training.judge.corrected_heads import corrected_network
from training.run import FACTS, Run

OPSET = 21


def run(run: Run, folder: Path) -> None:
    """The stage `export`: write the teacher and the student as fp32 bundles into `folder`.

    Its facts are the offsets of both: {stage: {task: {label: offset}}}.
    """
    facts = {stage: export_network(run, stage, folder / stage) for stage in ("teacher", "student")}
    write_json(folder / FACTS, facts)


def export_network(run: Run, stage: str, target: Path) -> dict[str, Any]:
    """The network that `stage` trained as a calibrated fp32 bundle in `target`; its offsets."""
    graph = target.with_name(f"{target.name}.onnx")
    network, offsets = corrected_network(run, stage)
    export_onnx(network, graph)
    calibrated_bundle(run, target, graph)
    graph.unlink()
    return offsets


def calibrated_bundle(run: Run, target: Path, graph: Path) -> None:
    """Write a bundle of `graph`, its temperatures and thresholds fitted on validation."""
    pieces = run.facts("vocabulary")["pieces"]
    tasks = tuple(
        Task(
            head.name,
            head.kind,
            head.labels,
            pieces + place,
            thresholds=(0.5,) * len(head.labels) if head.kind == "multi" else None,
        )
        for place, head in enumerate(run.heads)
    )
    raw = write_bundle(
        target,
        name=f"{run.recipe.name}-{target.name}",
        base=run.recipe.base,
        max_tokens=run.max_tokens,
        long_texts=run.recipe.data.long_texts,
        tasks=tasks,
        model=graph,
        tokenizer=run.tokenizer_path,
        card=f"# {run.recipe.name}, {target.name}\n\nAn intermediate stage.\n",
        metrics={},
    )
    rows = run.table.split("validation")
    logits = Classifier(raw, threads=os.cpu_count() or 1).logits([row.text for row in rows])
    copied_bundle(raw, target, tasks=calibrate(tasks, logits, targets(run.table, rows)))


def export_onnx(network: ControlTokenClassifier, path: Path) -> None:
    """Write the fp32 graph: int64 input_ids, attention_mask [batch, tokens] -> float logits."""
    encoder = {key: value for key, value in network.shape.encoder.items() if key not in DROPOUTS}
    program = copy.copy(_traced(json.dumps({**asdict(network.shape), "encoder": encoder})))
    program.model = program.model.clone()
    program.apply_weights(network.state_dict())
    program.optimize()
    model = program.model_proto
    _name_layers(model)
    for node in model.graph.node:
        node.ClearField("metadata_props")  # source lines of the machine that exported
        node.ClearField("doc_string")
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save_model(model, path)


@functools.lru_cache(maxsize=1)  # networks of one shape differ by their weights alone
def _traced(shape: str) -> ONNXProgram:
    """The graph of an untrained network of this `Shape`, as JSON: nothing is folded yet."""
    network = ControlTokenClassifier(Shape(**json.loads(shape))).eval()
    first, tasks = network.shape.first_control_id, len(network.shape.head_sizes)
    ids = torch.tensor([[2, 5, 6, 3, *range(first, first + tasks)]] * 2)
    dynamic = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's notes on its own deprecations
        program = torch.onnx.export(
            network,
            (ids, torch.ones_like(ids)),
            dynamo=True,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=(dynamic, dynamic),
            verbose=False,
            optimize=False,
        )
    assert program is not None
    return program


def layers(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The matrix products with weights: what is quantized."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in ("MatMul", "Gemm") and weights.intersection(node.input)
    ]


def _name_layers(model: onnx.ModelProto) -> None:
    """Call each layer what the network calls it: `layer.0.output.dense`."""
    for node in layers(model):
        facts = {entry.key: entry.value for entry in node.metadata_props}
        scopes = ast.literal_eval(facts.get("pkg.torch.onnx.name_scopes", "[]"))
        if len(scopes) > 2:
            node.name = scopes[-2].removeprefix("encoder.encoder.")
