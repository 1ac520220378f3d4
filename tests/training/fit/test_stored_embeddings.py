"""What a student reads of its word embeddings is what the bundle will have."""

from __future__ import annotations

import copy

import numpy as np
import torch

from training.fit.network import ControlTokenClassifier
from training.fit.rounding import rows_to_integers
from training.fit.stored_embeddings import rounded, stored_embeddings


def test_rounding_is_the_quantizers() -> None:
    table = torch.randn(200, 64, generator=torch.Generator().manual_seed(1))
    integers, scales = rows_to_integers(table.numpy(), 4)
    assert np.allclose(rounded(table, 4), integers * scales, atol=1e-6)


def test_rounded_rows_lose_nothing_when_they_are_stored() -> None:
    table = rounded(torch.randn(200, 64, generator=torch.Generator().manual_seed(1)), 4)
    integers, scales = rows_to_integers(table.numpy(), 4)
    assert np.allclose(table, integers * scales, atol=1e-6)


def test_the_network_reads_rounded_rows_and_ends_with_them(network: ControlTokenClassifier) -> None:
    student = copy.deepcopy(network)
    table = student.encoder.get_input_embeddings()
    before = table.weight.detach().clone()
    with stored_embeddings(student, 4):
        read = table(torch.arange(5))
        read.sum().backward()
        assert torch.equal(table.weight, before), "the exact weights are what is fitted"
    assert torch.allclose(read, rounded(before[:5], 4))
    assert table.weight.grad is not None
    assert bool((table.weight.grad[1:5] == 1).all())
    assert torch.allclose(table.weight, rounded(before, 4))


def test_eight_bits_are_left_alone(network: ControlTokenClassifier) -> None:
    student = copy.deepcopy(network)
    table = student.encoder.get_input_embeddings()
    before = table.weight.detach().clone()
    with stored_embeddings(student, 8):
        assert torch.equal(table(torch.arange(5)), before[:5])
    assert torch.equal(table.weight, before)
