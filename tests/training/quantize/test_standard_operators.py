"""A copy in standard operators computes with the same weights, and with activations in fp32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from model.bundle import MODEL, Bundle, BundleError, read_bundle
from model.bundle_writer import copied_bundle
from model.classifier import Classifier
from training.quantize.standard_operators import main, replace_matmuls

TEXTS = ["raw honey", "butter knife", "Crème fraîche, 30 %", "boneless chicken breast"]
FP32_ACTIVATIONS = 1  # MatMulNBits accuracy_level


@pytest.fixture(scope="module")
def copy(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped bundle in standard operators, as the command makes it."""
    target = tmp_path_factory.mktemp("standard") / "copy"
    assert main([str(bundle_path), str(target)]) == 0
    return read_bundle(target)


def test_its_operators_are_standard(copy: Bundle) -> None:
    model = onnx.load(copy.path / MODEL)
    assert {entry.domain for entry in model.opset_import} == {""}
    assert {node.domain for node in model.graph.node} == {""}
    onnx.checker.check_model(model, full_check=True)


def test_its_logits_are_those_of_fp32_activations(
    copy: Bundle, bundle_path: Path, tmp_path: Path
) -> None:
    """Of the original's own operator, told not to round them."""
    model = onnx.load(bundle_path / MODEL)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = FP32_ACTIVATIONS
    onnx.save_model(model, tmp_path / MODEL)
    unrounded = copied_bundle(read_bundle(bundle_path), tmp_path / "bundle", model=tmp_path / MODEL)
    expected = Classifier(unrounded).logits(TEXTS)
    np.testing.assert_allclose(Classifier(copy).logits(TEXTS), expected, atol=1e-4)


def test_it_is_the_same_bundle_otherwise(copy: Bundle, bundle_path: Path) -> None:
    original = read_bundle(bundle_path)
    assert copy.tasks == original.tasks
    assert copy.metrics == original.metrics
    assert copy.tokenizer_sha256 == original.tokenizer_sha256
    card = (copy.path / "README.md").read_text(encoding="utf-8")
    assert card.startswith((bundle_path / "README.md").read_text(encoding="utf-8"))
    assert f"A copy of {original.identity} in standard ONNX operators" in card


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("depth", "block_size"), [(64, 32), (40, 32), (200, 128)])
def test_blocks_need_not_divide_the_depth(depth: int, block_size: int, bits: int) -> None:
    draw = np.random.default_rng(0)
    weights = draw.normal(size=(depth, 24)).astype(np.float32)
    x = draw.normal(size=(3, depth)).astype(np.float32)
    quantizer = MatMulNBitsQuantizer(
        matmul(weights), bits=bits, block_size=block_size, is_symmetric=True,
        accuracy_level=FP32_ACTIVATIONS,
    )  # fmt: skip
    quantizer.process()
    model = quantizer.model.model
    expected = output_of(model, x)
    assert np.abs(expected - x @ weights).max() > 1e-4, "the weights are rounded"
    replace_matmuls(model, Path("bundle"))
    np.testing.assert_allclose(output_of(model, x), expected, atol=1e-5)


def test_what_cannot_be_copied_is_refused(
    copy: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(copy.path), str(tmp_path / "again")]) == 1
    assert "has no MatMulNBits; give a bundle of `matmul_nbits`" in capsys.readouterr().err
    weights = matmul(np.ones((64, 8), np.float32))
    quantizer = MatMulNBitsQuantizer(weights, bits=4, block_size=32, is_symmetric=False)
    quantizer.process()
    with pytest.raises(BundleError, match="is not of 4 or 8 bits and symmetric"):
        replace_matmuls(quantizer.model.model, Path("bundle"))


def matmul(weights: np.ndarray) -> onnx.ModelProto:
    """x @ weights, x of any number of rows."""
    depth, width = weights.shape
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"], name="matmul")],
        "matmul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, depth])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, width])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def output_of(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    output: np.ndarray = session.run(None, {"x": x})[0]
    return output
