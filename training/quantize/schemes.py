"""How do the weights become bytes? Two int8 schemes, so that they can be compared.

`matmul_nbits`  8-bit weights with one scale per block of a column, or 4-bit ones in the encoder's
                layers (gptq.py); onnxruntime scales activations per row and block (accuracy level
                4), so that a text's answer does not depend on what else is in its batch.
`dynamic`       onnxruntime's quantize_dynamic: per-channel weights, one activation scale for the
                whole tensor, which every text and padding of the batch has a part in.

In both the word embeddings, most of a small model, are rows of 4-bit integers with a scale each.
Layers that the recipe keeps, the embeddings among them, stay fp32.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from training.fit.rounding import rows_to_integers
from training.quantize.export import layers
from training.quantize.gptq import Moments, layer_weights, round_by_moments
from training.recipe import Quantize

EMBEDDINGS = "embeddings"
"""What the word embeddings are called among the layers."""
INT8_ACCUMULATION = 4  # MatMulNBits accuracy_level: products of int8 by int8
SPLIT = "_MatMul"  # what quantize_dynamic adds to the name of a Gemm, made a MatMul and an Add
ZERO = 8  # what a 4-bit zero is stored as
ENCODER = "layer."  # how the names of its layers begin
NARROW_BLOCKS = 2
"""Times as many weights of 4 bits share a scale: for the bytes, smaller ones gain little."""
LARGE_TABLE = 2**16  # elements; smaller gathered tables stay fp32


def quantize_onnx(
    fp32: Path, int8: Path, settings: Quantize, moments: Moments | None = None
) -> None:
    """Write the int8 graph of `fp32` to `int8` with the recipe's scheme.

    `moments`: of the inputs of `fp32`'s layers; without them 4-bit weights are the nearest.
    """
    model = onnx.load(fp32)
    fp32_layers = [node.name for node in layers(model) if node.name in settings.keep]
    if EMBEDDINGS not in settings.keep:
        quantize_embeddings(model, settings.embedding_bits)
    logging.getLogger("onnxruntime.quantization").setLevel(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)  # quantize_dynamic's advice goes to the root
    if settings.scheme == "dynamic":
        onnx.save_model(model, int8)
        quantize_dynamic(
            int8,
            int8,
            op_types_to_quantize=["MatMul"],
            per_channel=settings.per_channel,
            reduce_range=settings.reduce_range,
            weight_type=QuantType.QInt8 if settings.signed else QuantType.QUInt8,
            nodes_to_exclude=[name + suffix for name in fp32_layers for suffix in ("", SPLIT)],
        )
        return
    names = {node.name for node in layers(model)}
    narrow = {name for name in names if settings.weight_bits == 4 and name.startswith(ENCODER)}
    weights = layer_weights(model)
    for bits, others in ((4, names - narrow), (8, narrow)):
        if names.issubset(excluded := [*fp32_layers, *others]):
            continue
        quantizer = MatMulNBitsQuantizer(
            model,
            bits=bits,
            block_size=settings.block_size * (NARROW_BLOCKS if bits == 4 else 1),
            is_symmetric=True,
            accuracy_level=INT8_ACCUMULATION,
            nodes_to_exclude=excluded,
        )
        quantizer.process()
        model = quantizer.model.model
    if moments is not None:
        round_by_moments(model, weights, moments)
    onnx.save_model(model, int8)


def quantize_embeddings(model: onnx.ModelProto, bits: int) -> None:
    """Replace each large gathered float table by integer rows and a float scale per row, in place.

    Gather(table, ids) becomes Cast(Gather(rows, ids)) * Gather(scales, ids): plain ONNX operators
    that any runtime has. The table's fp32 copy never exists in memory. With 4 bits a byte holds
    two columns: one of the row's first half, and its counterpart of the second.
    """
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or np.prod(table.dims) < LARGE_TABLE:
            nodes.append(node)
            continue
        name, ids, out = table.name, node.input[1], node.output[0]
        rows, scales = rows_to_integers(numpy_helper.to_array(table), bits)
        packed = bits == 4 and rows.shape[1] % 2 == 0
        graph.initializer.remove(table)
        parts = {f"{name}_rows": _packed(rows) if packed else rows, f"{name}_scale": scales}
        graph.initializer.extend(numpy_helper.from_array(part, key) for key, part in parts.items())
        if packed and not any(tensor.name == "low_bits" for tensor in graph.initializer):
            graph.initializer.extend(UNPACKING)
        nodes += [
            helper.make_node("Gather", [f"{name}_rows", ids], [f"{out}_rows"]),
            helper.make_node("Gather", [f"{name}_scale", ids], [f"{out}_scale"]),
            *(_unpacked(out) if packed else [_to_float(f"{out}_rows", f"{out}_cast")]),
            helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


UNPACKING = (
    numpy_helper.from_array(np.array(15, np.uint8), "low_bits"),
    numpy_helper.from_array(np.array(4, np.uint8), "high_bits"),
    numpy_helper.from_array(np.array(ZERO, np.float32), "zero_point"),
)


def _to_float(source: str, out: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [out], to=TensorProto.FLOAT)


def _unpacked(out: str) -> list[onnx.NodeProto]:
    """Bytes [..., width / 2] -> floats [..., width], zero at ZERO."""
    rows = f"{out}_rows"
    return [
        helper.make_node("BitwiseAnd", [rows, "low_bits"], [f"{out}_low"]),
        helper.make_node("BitShift", [rows, "high_bits"], [f"{out}_high"], direction="RIGHT"),
        helper.make_node("Concat", [f"{out}_low", f"{out}_high"], [f"{out}_both"], axis=-1),
        _to_float(f"{out}_both", f"{out}_float"),
        helper.make_node("Sub", [f"{out}_float", "zero_point"], [f"{out}_cast"]),
    ]


def _packed(rows: np.ndarray) -> np.ndarray:
    """int8 [rows, width] of -7 to 7 -> bytes [rows, width / 2]."""
    low, high = np.split((rows + ZERO).astype(np.uint8), 2, axis=1)
    return low | (high << 4)
