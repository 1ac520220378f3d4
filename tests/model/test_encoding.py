"""Rows of ids: what a text can become, and what it cannot."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classifier
from model.encoding import chunks, graph_inputs, printable

ANY_TEXT = st.text(st.characters(), max_size=200)  # lone surrogates included
SPELLED = st.lists(
    st.sampled_from(["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "[unused1]", "<s>", " ", "a"])
).map("".join)


@given(st.one_of(ANY_TEXT, SPELLED, st.tuples(ANY_TEXT, SPELLED).map("".join)))
@settings(deadline=None)
def test_no_text_can_spell_a_special_or_control_id(classifier: Classifier, text: str) -> None:
    start, end = classifier.encode([""]).ids[0]
    first_control_id = min(task.control_id for task in classifier.bundle.tasks)
    ids = classifier.encode([text]).ids[0]
    assert len(ids) <= classifier.bundle.max_tokens
    assert (ids[0], ids[-1]) == (start, end)
    assert not {start, end, 0} & set(ids[1:-1])
    assert max(ids) < first_control_id


@given(st.lists(ANY_TEXT, max_size=6))
@settings(deadline=None)
def test_a_list_is_encoded_as_its_texts_are(classifier: Classifier, texts: list[str]) -> None:
    together = classifier.encode(texts)
    alone = [classifier.encode([text]) for text in texts]
    assert together.ids == [encoded.ids[0] for encoded in alone]
    assert together.truncated == [index for index, one in enumerate(alone) if one.truncated]


def test_a_long_text_keeps_its_beginning_and_the_end_mark(classifier: Classifier) -> None:
    limit = classifier.bundle.max_tokens
    words = classifier.encode(["honey"]).ids[0][1:-1]
    fits = (limit - 2) // len(words)
    encoded = classifier.encode(["honey " * fits, "honey " * (limit * 3), "salt"])
    assert encoded.truncated == [1]
    start, end = classifier.encode([""]).ids[0]
    assert encoded.ids[1] == [start, *(words * limit)[: limit - 2], end]


@given(ANY_TEXT)
def test_printable_changes_lone_surrogates_only(text: str) -> None:
    actual = printable(text)
    assert actual == "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    actual.encode("utf-8")


@given(st.lists(st.integers(2, 64)), st.integers(1, 8), st.integers(2, 200))
def test_chunks_hold_every_row_once_within_limits(
    lengths: list[int], max_rows: int, max_padded_tokens: int
) -> None:
    batches = list(chunks(lengths, max_rows, max_padded_tokens))
    assert Counter(index for chunk in batches for index in chunk) == Counter(range(len(lengths)))
    for chunk in batches:
        assert 1 <= len(chunk) <= max_rows
        padded = len(chunk) * max(lengths[index] for index in chunk)
        assert padded <= max_padded_tokens or len(chunk) == 1
    ordered = [lengths[index] for chunk in batches for index in chunk]
    assert ordered == sorted(lengths)


def test_graph_inputs() -> None:
    inputs = graph_inputs([[2, 5, 3], [2, 3]], [90, 91]).numpy()
    np.testing.assert_array_equal(inputs["input_ids"], [[2, 5, 3, 90, 91], [2, 3, 90, 91, 0]])
    np.testing.assert_array_equal(inputs["attention_mask"], [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    assert {array.dtype for array in inputs.values()} == {np.dtype(np.int64)}


def test_one_string_is_not_a_list_of_texts(classifier: Classifier) -> None:
    with pytest.raises(TypeError, match="send a list of strings"):
        classifier.encode("honey")
    with pytest.raises(TypeError, match="send a list of strings"):
        classifier.predict("honey")
