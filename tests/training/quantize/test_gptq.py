"""What one weight loses by rounding, others make up for, and the graph has these very weights."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from training.quantize.gptq import layer_weights, round_by_moments, rounded
from training.quantize.standard_operators import replace_matmuls

DEPTH, COLUMNS, BLOCK = 96, 24, 32
LAYER = "layer.0.output.dense"

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def inputs() -> Floats:
    """[positions, DEPTH], of which much goes together."""
    dice = np.random.default_rng(1)
    return dice.normal(size=(4000, 12)) @ dice.normal(size=(12, DEPTH)) + dice.normal(
        size=(4000, DEPTH)
    )


@pytest.fixture(scope="module")
def weight() -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(size=(DEPTH, COLUMNS)).astype(np.float32)


def floats(integers: NDArray[np.int8], scales: NDArray[np.float32], block: int) -> Floats:
    return (integers * scales[np.arange(len(integers)) // block]).astype(np.float64)


def test_the_output_loses_less_than_by_rounding_to_the_nearest(
    inputs: Floats, weight: NDArray[np.float32]
) -> None:
    def lost(moment: Floats) -> float:
        made = floats(*rounded(weight, moment, BLOCK), BLOCK)
        return float(np.square(inputs @ (made - weight)).mean())

    nearest = lost(np.eye(DEPTH))
    assert lost(inputs.T @ inputs) < nearest / 3


def test_where_nothing_goes_together_it_is_rounding_to_the_nearest(
    weight: NDArray[np.float32],
) -> None:
    integers, scales = rounded(weight, np.eye(DEPTH), BLOCK)
    scale = scales[np.arange(DEPTH) // BLOCK]
    assert np.abs(floats(integers, scales, BLOCK) - weight).max() <= np.abs(scale).max()
    within = np.rint(weight / scale) <= 7
    assert (integers[within] == np.rint(weight / scale)[within]).all()


@pytest.mark.parametrize("unseen", [0.0, 1.0])
def test_inputs_that_no_text_showed_and_empty_columns_are_no_trouble(unseen: float) -> None:
    weight = np.ones((DEPTH, 2), np.float32)
    weight[:, 1] = 0
    integers, scales = rounded(weight, np.full((DEPTH, DEPTH), unseen), BLOCK)
    assert np.isfinite(scales).all()
    assert floats(integers, scales, BLOCK) == pytest.approx(weight, abs=0.2)


@pytest.mark.parametrize("depth", [DEPTH, 80])
def test_the_graph_has_the_rounded_weights(
    depth: int, inputs: Floats, weight: NDArray[np.float32]
) -> None:
    kept, moment = weight[:depth], inputs[:, :depth].T @ inputs[:, :depth]
    matmul = helper.make_node("MatMul", ["x", "w"], ["y"], name=LAYER)
    graph = helper.make_graph(
        [matmul],
        "one layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, depth])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, COLUMNS])],
        [numpy_helper.from_array(kept, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    weights = layer_weights(model)
    quantizer = MatMulNBitsQuantizer(model, bits=4, block_size=BLOCK, is_symmetric=True)
    quantizer.process()
    made = quantizer.model.model
    round_by_moments(made, weights, {LAYER: moment})
    integers, scales = rounded(kept, moment, BLOCK)
    replace_matmuls(made, Path("no bundle"))
    tensors = [numpy_helper.to_array(tensor) for tensor in made.graph.initializer]
    assert any(tensor.dtype == np.int8 and (tensor == integers).all() for tensor in tensors)
    assert any(tensor.dtype == np.float32 and (tensor == scales).all() for tensor in tensors)
    onnx.checker.check_model(made)
