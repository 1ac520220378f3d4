"""How are weights rounded to 4 bits? What one loses, those that come after it make up for.

GPTQ (Frantar, Ashkboos, Hoefler and Alistarh, 2023). A weight is not rounded to the nearest for its
own sake: of what a layer reads, much goes together, so the error of one input's weights is taken
over by the weights of inputs that are not rounded yet. What goes together is seen on text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model.encoding import graph_inputs
from training.distil.soft_targets import student_rows
from training.quantize.export import layers
from training.run import Run

Moments = dict[str, NDArray[np.float64]]
"""Of each layer [depth, depth]: the products of its inputs, summed over all positions."""

TEXTS = 512
BATCH_TOKENS = 2048
DAMPING = 0.01
"""Of the mean square of an input, added to each: what no text showed is not made up for."""
LOWEST, HIGHEST = -8, 7
SUFFIX = "_Q4"  # what MatMulNBitsQuantizer adds to the name of a layer of 4 bits


def moments_on_text(run: Run, graph: Path) -> Moments:
    """Of the fp32 `graph`, on texts that the student learns from."""
    texts = [row.text for row in student_rows(run)]
    rows = run.encode(texts[:: -(-len(texts) // TEXTS)])
    pieces = run.facts("vocabulary")["pieces"]
    return input_moments(graph, rows, [pieces + place for place in range(len(run.heads))])


def input_moments(graph: Path, rows: list[list[int]], control_ids: list[int]) -> Moments:
    """`rows`: ids of each text, without control ids, which all are asked for."""
    model = onnx.load(graph)
    read = {node.name: node.input[0] for node in layers(model)}
    names = sorted(set(read.values()))
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    sums: dict[str, Any] = defaultdict(float)
    for feeds in unpadded(rows, control_ids):
        for name, value in zip(names, session.run(names, feeds), strict=True):
            inputs = value.reshape(-1, value.shape[-1])
            sums[name] = sums[name] + inputs.T @ inputs
    return {layer: sums[name].astype(np.float64) for layer, name in read.items()}


def unpadded(rows: Sequence[list[int]], control_ids: list[int]) -> Iterator[dict[str, Any]]:
    """What a graph reads, in batches of rows of one length, the shortest first."""
    for length, group in groupby(sorted(rows, key=len), key=len):
        like, size = list(group), max(1, BATCH_TOKENS // length)
        for start in range(0, len(like), size):
            yield graph_inputs(like[start : start + size], control_ids).numpy()


def layer_weights(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """{layer: [depth, columns]}"""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node.name: numpy_helper.to_array(tensors[name])
        for node in layers(model)
        for name in node.input
        if name in tensors and len(tensors[name].dims) == 2
    }


def round_by_moments(
    model: onnx.ModelProto, weights: Mapping[str, NDArray[np.float32]], moments: Moments
) -> None:
    """Round the 4-bit layers of `model` anew from `weights`, in place."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        layer = node.name.removesuffix(SUFFIX)
        if node.op_type != "MatMulNBits" or layer == node.name:
            continue
        block = next(entry.i for entry in node.attribute if entry.name == "block_size")
        integers, scales = rounded(weights[layer], moments[layer], block)
        whole_blocks = np.pad(integers - LOWEST, ((0, -len(integers) % block), (0, 0)))
        rows = whole_blocks.astype(np.uint8).T
        _replace(tensors[node.input[1]], rows[:, ::2] | (rows[:, 1::2] << 4))
        _replace(tensors[node.input[2]], scales.T)


def _replace(tensor: onnx.TensorProto, values: NDArray[Any]) -> None:
    shaped = np.ascontiguousarray(values).reshape(tuple(tensor.dims))
    tensor.CopyFrom(numpy_helper.from_array(shaped, tensor.name))


def rounded(
    weight: NDArray[np.float32], moment: NDArray[np.float64], block: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Integers [depth, columns] and scales [blocks, columns] of a weight [depth, columns]; each
    `block` of a column's weights shares a scale."""
    depth, columns = weight.shape
    damped = moment + DAMPING * max(float(np.diag(moment).mean()), 1e-9) * np.eye(depth)
    passes_on = np.linalg.cholesky(np.linalg.inv(damped)).T  # the upper factor
    left = weight.astype(np.float64)
    integers = np.empty(weight.shape, np.int8)
    scales = np.empty((-(-depth // block), columns), np.float32)
    for number, start in enumerate(range(0, depth, block)):
        end = min(start + block, depth)
        scales[number] = scale = _scale(left[start:end])
        errors = np.empty((end - start, columns))
        for place in range(start, end):
            integers[place] = nearest = np.rint(left[place] / scale).clip(LOWEST, HIGHEST)
            errors[place - start] = (left[place] - nearest * scale) / passes_on[place, place]
            later = slice(place + 1, end)
            left[later] -= np.outer(passes_on[place, later], errors[place - start])
        left[end:] -= passes_on[start:end, end:].T @ errors
    return integers, scales


def _scale(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """[columns] of weights [rows, columns]: the largest of a column becomes LOWEST."""
    largest = np.take_along_axis(weights, np.abs(weights).argmax(axis=0)[None], axis=0)[0]
    return np.where(largest == 0, 1, largest / LOWEST).astype(np.float32)
