"""int8 stays close to fp32, and with scales per row a text's logits ignore its neighbours."""

from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS
from training.fit.network import ControlTokenClassifier
from training.quantize.export import export_onnx
from training.quantize.gptq import input_moments
from training.quantize.schemes import quantize_onnx
from training.recipe import Quantize

NEIGHBOURS = 1e-5  # what a batch may move a row's logits by under matmul_nbits


def logits(path: Path, rows: list[list[int]]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path)
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    feeds = {"input_ids": ids, "attention_mask": (ids != 0).astype(np.int64)}
    values: NDArray[np.float32] = session.run(None, feeds)[0]
    return values


@pytest.fixture(scope="module")
def rows(network: ControlTokenClassifier, tokenizer: Tokenizer) -> list[list[int]]:
    first = network.shape.first_control_id
    return [[*tokenizer.encode(text).ids, first, first + 1, first + 2] for text in TEXTS]


@pytest.fixture(scope="module")
def graphs(
    network: ControlTokenClassifier, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("graphs")
    paths = {name: folder / f"{name}.onnx" for name in ("fp32", "matmul_nbits", "dynamic")}
    export_onnx(network, paths["fp32"])
    for scheme in ("matmul_nbits", "dynamic"):
        quantize_onnx(paths["fp32"], paths[scheme], Quantize(scheme=scheme))
    return paths


@pytest.mark.parametrize("scheme", ["matmul_nbits", "dynamic"])
def test_int8_is_close_to_fp32_at_a_third_of_its_size(
    scheme: str, graphs: dict[str, Path], rows: list[list[int]]
) -> None:
    exact = logits(graphs["fp32"], rows)
    error = np.abs(logits(graphs[scheme], rows) - exact).max()
    assert 0 < error < 0.15 * np.ptp(exact)
    assert graphs[scheme].stat().st_size < graphs["fp32"].stat().st_size / 3


def test_with_scales_per_row_neighbours_do_not_move_a_text(
    graphs: dict[str, Path], rows: list[list[int]]
) -> None:
    for scheme, limit in (("matmul_nbits", NEIGHBOURS), ("dynamic", np.inf)):
        together = logits(graphs[scheme], rows)
        alone = np.concatenate([logits(graphs[scheme], [row]) for row in rows])
        moved = np.abs(together - alone).max()
        assert moved <= limit
        if scheme == "dynamic":
            assert moved > NEIGHBOURS, "the limit above would tell shared scales apart"


def test_narrow_weights_are_rounded_for_the_text(
    network: ControlTokenClassifier, graphs: dict[str, Path], rows: list[list[int]], tmp_path: Path
) -> None:
    narrow, nearest, settings = tmp_path / "4.onnx", tmp_path / "n.onnx", Quantize(weight_bits=4)
    control = network.control_ids.tolist()
    moments = input_moments(graphs["fp32"], [row[: -len(control)] for row in rows[1:]], control)
    quantize_onnx(graphs["fp32"], narrow, settings, moments)
    quantize_onnx(graphs["fp32"], nearest, settings)
    of_4_bits = {
        node.name: {entry.name: entry.i for entry in node.attribute}["bits"] == 4
        for node in onnx.load(narrow).graph.node
        if node.op_type == "MatMulNBits"
    }
    assert all(is_narrow == name.startswith("layer.") for name, is_narrow in of_4_bits.items())
    assert any(of_4_bits.values())
    assert narrow.stat().st_size == nearest.stat().st_size < graphs["matmul_nbits"].stat().st_size
    exact, together, other = (logits(path, rows) for path in (graphs["fp32"], narrow, nearest))
    assert 0 < np.abs(together - exact).mean() < 0.8 * np.abs(other - exact).mean()
    alone = np.concatenate([logits(narrow, [row]) for row in rows])
    assert np.abs(together - alone).max() <= NEIGHBOURS


def test_no_large_table_stays_fp32(graphs: dict[str, Path]) -> None:
    for scheme in ("matmul_nbits", "dynamic"):
        for tensor in onnx.load(graphs[scheme]).graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                assert np.prod(tensor.dims) < 2**16, tensor.name


@pytest.mark.parametrize("scheme", ["matmul_nbits", "dynamic"])
def test_embeddings_that_are_kept_are_those_of_fp32(
    scheme: Literal["matmul_nbits", "dynamic"], graphs: dict[str, Path], tmp_path: Path
) -> None:
    float_embeddings = tmp_path / "float.onnx"
    quantize_onnx(graphs["fp32"], float_embeddings, Quantize(scheme=scheme, keep=("embeddings",)))
    tables = [_large_tables(path) for path in (graphs["fp32"], float_embeddings, graphs[scheme])]
    assert tables[1] == tables[0] != tables[2] == {}
    assert float_embeddings.stat().st_size < graphs["fp32"].stat().st_size


def _large_tables(path: Path) -> dict[str, bytes]:
    """The float tables that ids pick rows of."""
    graph = onnx.load(path).graph
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    return {
        tensor.name: tensor.raw_data
        for tensor in graph.initializer
        if tensor.name in gathered
        and tensor.data_type == onnx.TensorProto.FLOAT
        and np.prod(tensor.dims) >= 2**16
    }
