"""A smaller student is a whole network, and starts with some of what the teacher knows."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS
from training.base import check_size
from training.distil.shrink import shrink, with_attention_heads, with_neurons, with_width
from training.fit.network import ControlTokenClassifier, load_network, save_network
from training.quantize.export import export_onnx
from training.recipe import RecipeError, Student

WIDTH, HEADS, HEAD = 1536, 12, 32
WORDS = (*TEXTS, "honey", "chicken", "beef steak", "olive", "a knife", "spoon", "soy", "oil")


def closeness(network: ControlTokenClassifier, tokenizer: Tokenizer) -> torch.Tensor:
    """Cosines between the texts' hidden states, less their mean: who resembles whom."""
    states = []
    for text in WORDS:
        ids = torch.tensor([tokenizer.encode(text).ids])
        mask = torch.ones(1, 1, ids.shape[1], ids.shape[1], dtype=torch.bool)
        with torch.no_grad():
            hidden = network.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        states.append(hidden[0].mean(0))
    stacked = torch.stack(states)
    unit = torch.nn.functional.normalize(stacked - stacked.mean(0), dim=1)
    above = torch.triu_indices(len(WORDS), len(WORDS), 1)
    return (unit @ unit.T)[above[0], above[1]]


def test_its_shape_is_narrower_and_its_heads_as_wide(
    network: ControlTokenClassifier, tmp_path: Path
) -> None:
    narrow = with_width(network, 128).eval()
    encoder = narrow.shape.encoder
    assert (encoder["hidden_size"], encoder["num_attention_heads"]) == (128, 4)
    assert encoder["intermediate_size"] == 512
    assert narrow.shape.head_sizes == network.shape.head_sizes
    export_onnx(narrow, tmp_path / "narrow.onnx")
    assert (tmp_path / "narrow.onnx").stat().st_size < 4e6


def test_the_teachers_own_width_changes_nothing(network: ControlTokenClassifier) -> None:
    assert with_width(network, None) is network
    assert with_width(network, 384) is network


@pytest.mark.parametrize("width", [256, 128])
def test_texts_resemble_each_other_as_they_did(
    width: int, network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    narrow = with_width(network, width).eval()
    untrained = ControlTokenClassifier(narrow.shape).eval()
    before = closeness(network, tokenizer)

    def likeness(other: ControlTokenClassifier) -> float:
        return float(torch.corrcoef(torch.stack([before, closeness(other, tokenizer)]))[0, 1])

    assert likeness(narrow) > 0.5
    assert likeness(narrow) > likeness(untrained) + 0.1


@pytest.mark.parametrize("key", ["layers", "feed_forward", "heads"])
def test_more_than_the_base_has_says_what_to_give(base: Path, key: str) -> None:
    settings: dict[str, Any] = {key: 4096}
    with pytest.raises(RecipeError, match=rf"\[student\] {key}: 4096; the base has \d+, give that"):
        check_size(base, Student(**settings), 32)


def test_a_width_that_splits_a_head_says_what_to_give(base: Path) -> None:
    with pytest.raises(RecipeError, match=r"\[student\] width: 100; give a multiple of 32"):
        check_size(base, Student(layers=3, width=100), 32)


def inputs(network: ControlTokenClassifier, tokenizer: Tokenizer) -> tuple[torch.Tensor, ...]:
    first = network.shape.first_control_id
    ids = torch.tensor([[*tokenizer.encode(TEXTS[0]).ids, first, first + 1, first + 2]])
    return ids, torch.ones_like(ids)


@torch.no_grad()
def test_neurons_that_write_nothing_can_go(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    network = copy.deepcopy(network)
    for layer in network.encoder.encoder.layer:
        layer.output.dense.weight[:, ::2] = 0
    smaller = with_neurons(network, WIDTH // 2).eval()
    assert smaller.encoder.encoder.layer[0].intermediate.dense.weight.shape == (WIDTH // 2, 384)
    assert smaller.shape.encoder["intermediate_size"] == WIDTH // 2
    row = inputs(network, tokenizer)
    torch.testing.assert_close(smaller(*row), network(*row), rtol=1e-4, atol=1e-5)
    assert with_neurons(network, None) is network


@torch.no_grad()
def test_heads_that_write_nothing_can_go(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    network = copy.deepcopy(network)
    for layer in network.encoder.encoder.layer:
        layer.attention.output.dense.weight.view(384, HEADS, HEAD)[:, 1::3] = 0
    smaller = with_attention_heads(network, HEADS * 2 // 3).eval()
    query = smaller.encoder.encoder.layer[0].attention.self.query
    assert query.weight.shape == (HEADS * 2 // 3 * HEAD, 384)
    row = inputs(network, tokenizer)
    torch.testing.assert_close(smaller(*row), network(*row), rtol=1e-4, atol=1e-5)
    assert with_attention_heads(network, None) is network


def test_what_is_fitted_with_fewer_heads_loads_again(
    network: ControlTokenClassifier, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    smaller = with_attention_heads(network, 4).eval()
    save_network(smaller, tmp_path)
    row = inputs(network, tokenizer)
    torch.testing.assert_close(load_network(tmp_path)(*row), smaller(*row))


@pytest.mark.parametrize(
    ("settings", "rows", "pooled"),
    [(Student(), 3000, True), (Student(), 3001, False), (Student(layers=1), 100, False)],
)
def test_a_student_reads_its_control_tokens_alone_and_of_few_rows_the_mean_too(
    settings: Student, rows: int, pooled: bool, network: ControlTokenClassifier
) -> None:
    teacher = ControlTokenClassifier(replace(network.shape, pooled=True))
    student = shrink(teacher, settings, rows)
    assert student.shape.pooled == pooled
    dropouts = [part.p for part in student.modules() if isinstance(part, torch.nn.Dropout)]
    assert dropouts
    assert not any(dropouts), "soft targets hold no noise to guard against"
    assert with_neurons(teacher, 64).shape.pooled, "what is pruned alone reads as before"
