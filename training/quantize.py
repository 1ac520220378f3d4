"""How do the weights become bytes? Two int8 schemes, so that they can be compared.

`matmul_nbits`  8-bit weights with one scale per block of a column; onnxruntime scales activations
                per row and block (accuracy level 4), so that a text's answer does not depend on
                what else is in its batch.
`dynamic`       onnxruntime's quantize_dynamic: per-channel weights, one activation scale for the
                whole tensor, which every text and padding of the batch has a part in.

In both the word embeddings, most of a small model, are int8 rows with one scale each.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from training.recipe import Quantize

INT8_ACCUMULATION = 4  # MatMulNBits accuracy_level: products of int8 by int8
LARGE_TABLE = 2**16  # elements; smaller gathered tables stay fp32


def quantize_onnx(fp32: Path, int8: Path, settings: Quantize) -> None:
    """Write the int8 graph of `fp32` to `int8` with the recipe's scheme."""
    model = onnx.load(fp32)
    quantize_embeddings(model)
    logging.getLogger("onnxruntime.quantization").setLevel(logging.ERROR)
    if settings.scheme == "dynamic":
        onnx.save_model(model, int8)
        quantize_dynamic(
            int8, int8, op_types_to_quantize=["MatMul"], per_channel=True,
            weight_type=QuantType.QInt8,
        )  # fmt: skip
        return
    quantizer = MatMulNBitsQuantizer(
        model,
        bits=8,
        block_size=settings.block_size,
        is_symmetric=True,
        accuracy_level=INT8_ACCUMULATION,
    )
    quantizer.process()
    onnx.save_model(quantizer.model.model, int8)


def quantize_embeddings(model: onnx.ModelProto) -> None:
    """Replace each large gathered float table by int8 rows and a float scale per row, in place.

    Gather(table, ids) becomes Cast(Gather(rows, ids)) * Gather(scales, ids): plain ONNX operators
    that any runtime has. The table's fp32 copy never exists in memory.
    """
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or np.prod(table.dims) < LARGE_TABLE:
            nodes.append(node)
            continue
        rows, scales = _rows_to_int8(numpy_helper.to_array(table))
        name, ids, out = table.name, node.input[1], node.output[0]
        graph.initializer.remove(table)
        graph.initializer.append(numpy_helper.from_array(rows, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scale"))
        nodes += [
            helper.make_node("Gather", [f"{name}_int8", ids], [f"{out}_int8"]),
            helper.make_node("Gather", [f"{name}_scale", ids], [f"{out}_scale"]),
            helper.make_node("Cast", [f"{out}_int8"], [f"{out}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _rows_to_int8(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[rows, width] float -> int8 rows and float32 scales [rows, 1]; table ~ rows * scales."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / 127, np.float32(1e-12))
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)
