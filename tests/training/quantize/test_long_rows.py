"""A bundle reads as many tokens as its base has positions, and carries no position more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from training.base import check_size
from training.distil.shrink import with_layers
from training.fit.network import from_base
from training.fit.vocabulary import TrimmedVocabulary
from training.quantize.export import export_onnx
from training.quantize.schemes import quantize_onnx
from training.recipe import Quantize, RecipeError, Student

MOST = 512
"""Positions of the base."""
HEAD_SIZES = (2, 3)


@pytest.fixture(scope="module")
def graphs(
    base: Path, vocabulary: TrimmedVocabulary, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, np.ndarray, np.ndarray]:
    """fp32 and int8 graphs of one layer, a row of the most tokens, and what torch makes of it."""
    folder = tmp_path_factory.mktemp("long")
    torch.manual_seed(1)
    network = with_layers(from_base(base, vocabulary.base_ids, 2, MOST, HEAD_SIZES), 1).eval()
    fp32, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    export_onnx(network, fp32)
    quantize_onnx(fp32, int8, Quantize())
    first = network.shape.first_control_id
    ids = np.random.default_rng(1).integers(5, first, (1, MOST))
    row = np.concatenate([ids, [[first, first + 1]]], axis=1)
    with torch.no_grad():
        logits = network(torch.from_numpy(row), torch.ones(row.shape, dtype=torch.int64))
    return fp32, int8, row, logits.numpy()


def test_a_row_of_the_most_tokens_is_answered_as_by_torch(
    graphs: tuple[Path, Path, np.ndarray, np.ndarray],
) -> None:
    fp32, _, row, expected = graphs
    feeds = {"input_ids": row, "attention_mask": np.ones_like(row)}
    (exact,) = onnxruntime.InferenceSession(fp32).run(None, feeds)
    np.testing.assert_allclose(exact, expected, atol=1e-5)


def test_positions_are_as_many_as_are_read_and_one_for_the_tasks(
    graphs: tuple[Path, Path, np.ndarray, np.ndarray],
) -> None:
    sizes = [
        [tuple(tensor.dims) for tensor in onnx.load(path).graph.initializer] for path in graphs[:2]
    ]
    assert (MOST + 1, 384) in sizes[0]
    assert (MOST + 1, 192) in sizes[1], "two columns a byte"


def test_more_than_the_base_has_is_refused(base: Path) -> None:
    check_size(base, Student(layers=1), MOST)
    with pytest.raises(RecipeError, match=r"max_tokens: 513; the base has 512, give that or fewer"):
        check_size(base, Student(layers=1), MOST + 1)
