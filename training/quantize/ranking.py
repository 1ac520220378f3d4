"""Which layer does int8 hurt most? Each is quantized by itself, and the logits compared."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from model.bundle import MODEL, Bundle, read_bundle, write_bundle
from model.classifier import Classifier
from training.quantize.schemes import layers, quantize_onnx
from training.recipe import Quantize

EMBEDDINGS = "embeddings"
TEXTS = 200


def rank_layers(exact: Path, texts: Sequence[str], settings: Quantize) -> list[dict[str, Any]]:
    """[{"layer", "error"}], worst first: the mean change of a logit when only that layer is int8.

    `exact`: the fp32 bundle. The embeddings are int8 throughout, and ranked by themselves.
    """
    bundle = read_bundle(exact)
    texts = texts[:TEXTS]
    names = tuple(node.name for node in layers(onnx.load(exact / MODEL)))
    wanted = Classifier.load(exact).logits(texts)
    with tempfile.TemporaryDirectory() as folder:
        only_embeddings = _logits(Path(folder), bundle, texts, replace(settings, keep=names))
        errors = {EMBEDDINGS: _mean_change(only_embeddings, wanted)}
        for name in names:
            kept = tuple(other for other in names if other != name)
            found = _logits(Path(folder), bundle, texts, replace(settings, keep=kept))
            errors[name] = _mean_change(found, only_embeddings)
    ranked = sorted(errors.items(), key=lambda item: -item[1])
    return [{"layer": name, "error": round(error, 5)} for name, error in ranked]


def _mean_change(found: Any, wanted: Any) -> float:
    return float(np.abs(found - wanted).mean())


def _logits(folder: Path, bundle: Bundle, texts: Sequence[str], settings: Quantize) -> Any:
    graph = folder / "graph.onnx"
    quantize_onnx(bundle.path / MODEL, graph, settings)
    made = with_graph(bundle, graph, folder / "bundle")
    return Classifier.load(made.path).logits(texts)


def with_graph(bundle: Bundle, graph: Path, target: Path) -> Bundle:
    """`bundle` with another graph, written to `target`."""
    return write_bundle(
        target,
        name=bundle.name,
        base=bundle.base,
        max_tokens=bundle.max_tokens,
        tasks=bundle.tasks,
        model=graph,
        tokenizer=bundle.path / "tokenizer.json",
        card=(bundle.path / "README.md").read_text(encoding="utf-8"),
        metrics=dict(bundle.metrics),
    )
