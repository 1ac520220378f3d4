"""Does a network with gated activations survive int8?

A SwiGLU network is trained on real names. Then two of its gated products are made large and what
reads them small, which changes nothing in fp32: large trained models have such channels. Under
plain dynamic int8 they take the whole scale, and the network answers at random.
"""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from training.quantize.export import OPSET, layers
from training.quantize.schemes import quantize_onnx
from training.recipe import Quantize

TABLE = Path(__file__).parents[3] / "training" / "ingredients" / "ingredients.jsonl.gz"
ROWS, WIDTH, INNER, LABELS = 600, 64, 128, ("animal", "animal_product", "other", "plant")
OUTLIER = 3000.0
ELEMENTWISE = {
    "Add", "Cast", "Clip", "Div", "Elu", "Erf", "Gelu", "HardSwish", "Identity", "Mul", "Relu",
    "Sigmoid", "Softplus", "Sub", "Swish", "Tanh",
}  # fmt: skip


class SwiGLU(nn.Module):
    """Shazeer, 2020: down(silu(gate(x)) * up(x))."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.gate, self.up = nn.Linear(WIDTH, INNER), nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        written: Tensor = self.down(F.silu(self.gate(y)) * self.up(y))
        return x + written


class Network(nn.Module):
    """Letters and pairs of letters, averaged, through two SwiGLU blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, WIDTH, padding_idx=0)
        self.blocks = nn.Sequential(SwiGLU(), SwiGLU())
        self.head = nn.Linear(WIDTH, len(LABELS))

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.head(self.blocks(self.embedding(ids).mean(1)))
        return logits


def data() -> tuple[Tensor, Tensor]:
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["source"]][:ROWS]
    pairs = [[hash_pair(row["text"], at) for at in range(len(row["text"]) - 1)] for row in rows]
    ids = torch.zeros(len(rows), 40, dtype=torch.long)
    for row, hashes in zip(ids, pairs, strict=True):
        row[: len(hashes[:40])] = torch.tensor(hashes[:40])
    return ids, torch.tensor([LABELS.index(row["source"]) for row in rows])


def hash_pair(text: str, at: int) -> int:
    return 1 + (ord(text[at]) * 31 + ord(text[at + 1])) % 999


@pytest.fixture(scope="module")
def trained() -> tuple[Network, Tensor, Tensor]:
    torch.manual_seed(0)
    network, (ids, truth) = Network(), data()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(network(ids), truth).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval(), ids, truth


@torch.no_grad()
def with_outliers(network: Network) -> Network:
    for block in network.blocks:
        assert isinstance(block, SwiGLU)
        for channel in (3, 77):
            block.up.weight[channel] *= OUTLIER
            block.up.bias[channel] *= OUTLIER
            block.down.weight[:, channel] /= OUTLIER
    return network


def exported(network: Network, ids: Tensor, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network, (ids[:2],), dynamo=True, opset_version=OPSET, verbose=False,
            dynamic_shapes=({0: torch.export.Dim("batch"), 1: None},),
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    del model.graph.value_info[:]
    onnx.save_model(model, path)
    return path


def accuracy(path: Path, ids: Tensor, truth: Tensor) -> float:
    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    (logits,) = session.run(None, {name: ids.numpy()})
    return 100 * float((np.asarray(logits).argmax(1) == truth.numpy()).mean())


def gated_layers(model: onnx.ModelProto) -> list[str]:
    """Layers that read the product of two others' outputs, as SwiGLU's and GeGLU's last does.

    Such products have a few very large values. With one scale for the whole tensor the rest is
    rounded to nothing, so under `dynamic` such a network needs these layers in [quantize] keep;
    with scales per row and block they are as good as any.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    heavy = {node.name for node in layers(model)}

    def sources(name: str) -> set[str]:
        """The layers that `name` is computed from, element by element."""
        node = makers.get(name)
        if node is None:
            return set()
        if node.name in heavy:
            return {node.name}
        if node.op_type not in ELEMENTWISE:
            return set()
        return set().union(*map(sources, node.input))

    def gated(name: str) -> bool:
        node = makers.get(name)
        if node is None or node.op_type != "Mul":
            return False
        left, right = map(sources, node.input)
        return bool(left and right and not left & right)

    return [node.name for node in layers(model) if gated(node.input[0])]


def test_a_gated_network_collapses_under_plain_dynamic_int8_and_not_with_kept_layers(
    trained: tuple[Network, Tensor, Tensor], tmp_path: Path
) -> None:
    network, ids, truth = trained
    calm = exported(network, ids, tmp_path / "calm.onnx")
    exact = accuracy(calm, ids, truth)
    assert exact > 90
    wild = exported(with_outliers(network), ids, tmp_path / "wild.onnx")
    assert accuracy(wild, ids, truth) > exact - 1

    plain = tmp_path / "plain.onnx"
    options = {"op_types_to_quantize": ["MatMul", "Gemm"], "per_channel": True}
    quantize_dynamic(calm, plain, weight_type=QuantType.QInt8, **options)
    assert accuracy(plain, ids, truth) > exact - 3, "without outliers it does not collapse"
    quantize_dynamic(wild, plain, weight_type=QuantType.QInt8, **options)
    assert accuracy(plain, ids, truth) < exact - 20

    for scheme in ("matmul_nbits", "dynamic"):
        cured = tmp_path / f"{scheme}.onnx"
        keep = tuple(gated_layers(onnx.load(wild))) if scheme == "dynamic" else ()
        quantize_onnx(wild, cured, Quantize(scheme=scheme, keep=keep))
        assert accuracy(cured, ids, truth) > exact - 3


def test_gated_layers_are_found_and_plain_ones_are_not(
    trained: tuple[Network, Tensor, Tensor], tmp_path: Path
) -> None:
    network, ids, _ = trained
    model = onnx.load(exported(network, ids, tmp_path / "graph.onnx"))
    gated = gated_layers(model)
    products = {node.name: node for node in layers(model)}
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    reads = [shapes[name] for node in gated for name in products[node].input if name in shapes]
    assert [shape for shape in reads if len(shape) == 2] == [[WIDTH, INNER]] * 2
