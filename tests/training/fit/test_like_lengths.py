"""Rows of a batch are about as long as each other; every row is read once an epoch."""

from __future__ import annotations

import random

import pytest
import torch

from training.fit.like_lengths import MIXED, LikeLengths


def examples(count: int) -> list[dict[str, list[int]]]:
    dice = random.Random(1)
    return [{"input_ids": [0] * dice.randint(4, 40)} for _ in range(count)]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100, 700])
def test_every_row_is_read_once(count: int) -> None:
    assert sorted(LikeLengths(examples(count), 8)) == list(range(count))


def test_a_small_table_has_little_padding() -> None:
    rows, size = examples(700), 32
    order = list(LikeLengths(rows, size))
    places = text = 0
    for start in range(0, len(rows) - size, size):
        lengths = [len(rows[place]["input_ids"]) for place in order[start : start + size]]
        assert max(lengths) - min(lengths) <= MIXED + 40 * size / len(rows) + 2
        places, text = places + size * max(lengths), text + sum(lengths)
    assert text / places > 0.9


def test_each_epoch_has_batches_of_its_own_and_a_seed_repeats_them() -> None:
    sampler = LikeLengths(examples(100), 8)
    orders = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        orders.append(list(sampler))
    assert orders[0] == orders[2] != orders[1]


def test_lengths_are_those_of_the_epoch() -> None:
    rows = examples(64)
    sampler = LikeLengths(rows, 8)
    rows[5]["input_ids"] = [0] * 400
    order = list(sampler)
    longest = order[order.index(5) // 8 * 8 :][:8]
    assert min(len(rows[place]["input_ids"]) for place in longest) >= 30
