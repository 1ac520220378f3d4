"""What leaves torch? One ONNX graph that derives all it needs from `input_ids`."""

from __future__ import annotations

import ast
import logging
import warnings
from pathlib import Path

import onnx
import torch

from training.fit.network import ControlTokenClassifier

OPSET = 21


def export_onnx(network: ControlTokenClassifier, path: Path) -> None:
    """Write the fp32 graph: int64 input_ids, attention_mask [batch, tokens] -> float logits."""
    network = network.eval()
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
        )
    assert program is not None
    model = program.model_proto
    _name_layers(model)
    for node in model.graph.node:
        node.ClearField("metadata_props")  # source lines of the machine that exported
        node.ClearField("doc_string")
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save_model(model, path)


def _name_layers(model: onnx.ModelProto) -> None:
    """Call each matrix product with weights what the network calls it: `layer.0.output.dense`."""
    weights = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in ("MatMul", "Gemm") and weights.intersection(node.input):
            facts = {entry.key: entry.value for entry in node.metadata_props}
            scopes = ast.literal_eval(facts.get("pkg.torch.onnx.name_scopes", "[]"))
            if len(scopes) > 2:
                node.name = scopes[-2].removeprefix("encoder.encoder.")
