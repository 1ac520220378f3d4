"""Does every runtime compute a bundle alike? One whose graph has standard operators alone, does.

    python -m training.quantize.standard_operators model/ingredients OUT

copies a bundle of the scheme `matmul_nbits`: the weights are the same integers, but become floats
when the graph is opened, and activations stay floats. MatMulNBits rounds activations to
8 bits where it has a kernel for that and not elsewhere (in WebAssembly), so its scores differ from
one machine to another; those of the copy agree to 1e-4.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.bundle import CARD, MODEL, Bundle, BundleError, read_bundle
from model.bundle_writer import copied_bundle

OPERATOR = "MatMulNBits"
DOMAIN = "com.microsoft"
ZEROS = {8: 128, 4: 8}
"""What a zero is stored as, by the bits of a weight."""
NOTE = """
## The graph

A copy of {identity} in standard ONNX operators, whose figures these are: the same weights,
activations in fp32.
"""


def standard_bundle(source: Bundle, target: Path) -> Bundle:
    """Write `source` to `target` with a graph of standard operators; raises BundleError."""
    model = onnx.load(source.path / MODEL)
    replace_matmuls(model, source.path)
    card = (source.path / CARD).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, MODEL)
        onnx.save_model(model, graph)
        note = NOTE.format(identity=source.identity)
        return copied_bundle(source, target, model=graph, card=card + note)


def replace_matmuls(model: onnx.ModelProto, bundle: Path) -> None:
    """Replace each MatMulNBits(x, weights) by MatMul(x, floats of the weights), in place.

    The floats are Cast(rows) * Gather(scales, blocks), constants that a runtime computes once, when
    it opens the graph. Raises BundleError.
    """
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type != OPERATOR:
            nodes.append(node)
            continue
        attributes = {entry.name: entry.i for entry in node.attribute}
        if attributes["bits"] not in ZEROS or any(node.input[3:]):
            raise BundleError(bundle, f"{MODEL}: {node.name} is not of 4 or 8 bits and symmetric")
        x, weights, scales = node.input[:3]
        integers = _rows(numpy_helper.to_array(tensors[weights]), attributes)
        block = np.arange(attributes["K"]) // attributes["block_size"]
        _replace(tensors[weights], integers)
        _replace(tensors[scales], _columns(numpy_helper.to_array(tensors[scales]), len(integers.T)))
        model.graph.initializer.append(numpy_helper.from_array(block, f"{weights}_block"))
        nodes += [
            helper.make_node("Cast", [weights], [f"{weights}_cast"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [scales, f"{weights}_block"], [f"{weights}_scale"]),
            helper.make_node("Mul", [f"{weights}_cast", f"{weights}_scale"], [f"{weights}_float"]),
            helper.make_node("MatMul", [x, f"{weights}_float"], [node.output[0]], name=node.name),
        ]
    if len(nodes) == len(model.graph.node):
        raise BundleError(bundle, f"{MODEL}: has no {OPERATOR}; give a bundle of `matmul_nbits`")
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = [entry for entry in model.opset_import if entry.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(used)


def _rows(stored: np.ndarray, attributes: Mapping[str, int]) -> np.ndarray:
    """uint8 [columns, blocks, bytes], of 4 bits two weights a byte -> int8 [depth, columns]."""
    bits = attributes["bits"]
    if bits == 4:
        stored = np.stack([stored & 15, stored >> 4], axis=-1)
    centred = (stored.astype(np.int16) - ZEROS[bits]).astype(np.int8)
    return centred.reshape(len(stored), -1)[:, : attributes["K"]].T


def _columns(scales: np.ndarray, columns: int) -> np.ndarray:
    """float32 of each column's blocks -> float32 [blocks, columns]."""
    return scales.reshape(columns, -1).T


def _replace(tensor: onnx.TensorProto, array: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    try:
        bundle = standard_bundle(read_bundle(options.bundle), options.out)
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{bundle.identity} is in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
