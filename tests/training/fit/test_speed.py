"""Are tokens, padding and operations counted as they are?"""

import pytest
import torch

from training.fit.batches import collate
from training.fit.network import ControlTokenClassifier
from training.fit.speed import Tally, _operations, measure

TEXTS = ([2, 7, 8, 9, 3], [2, 7, 3])
TASKS = 3


@pytest.fixture
def batch(network: ControlTokenClassifier) -> dict[str, torch.Tensor]:
    return collate([{"input_ids": ids} for ids in TEXTS], network.control_ids.tolist())


def test_padding_is_no_token(batch: dict[str, torch.Tensor]) -> None:
    tally = Tally()
    tally.add(batch)
    tally.add({name: part[1:] for name, part in batch.items()})
    assert tally.tokens == sum(map(len, TEXTS)) + 2 * TASKS + len(TEXTS[1]) + TASKS
    assert tally.places == 3 * (len(TEXTS[0]) + TASKS)
    assert tally.widest is batch


def test_a_step_needs_six_operations_for_each_weight_and_place(
    network: ControlTokenClassifier, batch: dict[str, torch.Tensor]
) -> None:
    places, width = batch["input_ids"].numel(), network.shape.encoder["hidden_size"]
    layer = 4 * width**2 + 2 * width * network.shape.encoder["intermediate_size"]
    read = len(TEXTS) * TASKS  # of the second layer only keys and values are computed for all
    weights = places * layer + places * 2 * width**2 + read * (layer - 2 * width**2)
    assert _operations(network, batch) == pytest.approx(6 * weights, rel=0.05)
    assert all(part.grad is None for part in network.parameters())


def test_a_fit_that_took_twice_as_long_used_half(
    network: ControlTokenClassifier, batch: dict[str, torch.Tensor]
) -> None:
    tally = Tally()
    tally.add(batch)
    fast, slow = (measure(network, tally, seconds, bf16=False) for seconds in (0.01, 0.1))
    assert fast["tokens_per_s"] == pytest.approx(10 * slow["tokens_per_s"], rel=0.01)
    assert fast["used"] > slow["used"] > 0
    assert slow["padding"] == pytest.approx(1 - 14 / 16)
