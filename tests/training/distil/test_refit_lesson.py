"""Which rows a pass of the refit reads, and how often."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS, heads_of
from training.distil.refit import Lesson
from training.fit.batches import network_logits
from training.fit.network import ControlTokenClassifier

KINDS = (("single", 2), ("single", 4), ("single", 5))


@pytest.mark.parametrize(("often", "times"), [(1, 1), (2, 2), (4, 4), (64, 7)])
def test_unsure_rows_are_read_more_often_and_never_most_of_a_pass(
    network: ControlTokenClassifier, tokenizer: Tokenizer, often: int, times: int
) -> None:
    heads = heads_of(*KINDS)
    examples = [{"input_ids": tokenizer.encode(text).ids} for text in TEXTS * 5]
    logits = network_logits(network, examples, bf16=False)
    truth = np.full_like(logits, np.nan)
    head = next(iter(heads))
    head.of(truth)[:] = head.of(logits) == head.of(logits).max(1, keepdims=True)
    head.of(truth)[0] = 1 - head.of(truth)[0]  # labelled otherwise than it is answered
    head.of(truth)[1:] = np.nan
    lesson = Lesson(heads, examples, truth, np.zeros(heads.width, np.float32))
    ahead = lesson.ahead(network)
    assert not lesson.is_learnt(ahead)
    places = lesson.places(ahead, often).tolist()
    assert [places.count(place) for place in range(len(examples))] == [times, *[1] * 24]


def test_all_text_is_read_once_when_every_row_is_answered(
    network: ControlTokenClassifier, tokenizer: Tokenizer
) -> None:
    heads = heads_of(*KINDS)
    examples = [{"input_ids": tokenizer.encode(text).ids} for text in TEXTS]
    truth = np.full((len(TEXTS), heads.width), np.nan, np.float32)
    lesson = Lesson(heads, examples, truth, np.zeros(heads.width, np.float32))
    ahead = lesson.ahead(network)
    assert lesson.is_learnt(ahead)
    assert lesson.places(ahead, 4).tolist() == list(range(len(TEXTS)))
