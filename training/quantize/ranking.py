"""Which layer does int8 hurt most? Each is quantized by itself, and the logits compared."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from model.bundle import MODEL
from model.classifier import Classifier
from training.quantize.export import layers
from training.quantize.gptq import unpadded
from training.quantize.schemes import EMBEDDINGS, quantize_embeddings, quantize_onnx
from training.recipe import Quantize

TEXTS = 32


def rank_layers(exact: Path, texts: Sequence[str], settings: Quantize) -> list[dict[str, Any]]:
    """[{"layer", "error"}], worst first: the mean change of a logit when only that layer is int8.

    `exact`: the fp32 bundle. The embeddings are int8 throughout, and ranked by themselves.
    """
    classifier = Classifier.load(exact)
    control_ids = [task.control_id for task in classifier.bundle.tasks]
    batches = list(unpadded(classifier.encode(texts[:TEXTS]).ids, control_ids))

    def logits_of(graph: Path) -> NDArray[np.float32]:
        session = onnxruntime.InferenceSession(graph)
        return np.concatenate([session.run(None, batch)[0] for batch in batches])

    model = onnx.load(exact / MODEL)
    names = tuple(node.name for node in layers(model))
    quantize_embeddings(model, settings.embedding_bits)
    with tempfile.TemporaryDirectory() as folder:
        rows, graph = Path(folder) / "rows.onnx", Path(folder) / "graph.onnx"
        onnx.save_model(model, rows)
        only_embeddings = logits_of(rows)
        errors = {EMBEDDINGS: _mean_change(only_embeddings, logits_of(exact / MODEL))}
        for name in names:
            others = tuple(other for other in names if other != name)
            quantize_onnx(rows, graph, replace(settings, keep=(*others, EMBEDDINGS)))
            errors[name] = _mean_change(logits_of(graph), only_embeddings)
    ranked = sorted(errors.items(), key=lambda item: -item[1])
    return [{"layer": name, "error": round(error, 5)} for name, error in ranked]


def _mean_change(logits: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    return float(np.abs(logits - reference).mean())
