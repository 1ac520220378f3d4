"""Variants are made of the words of training texts and of words like them, and always alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.distil.like_words import LikeWords
from training.distil.variants import variants

TEXTS = ["where is my new card", "refund the money", "zürich xqzv", "   "]


@pytest.fixture(scope="module")
def like(base: Path) -> LikeWords:
    return LikeWords(base)


def test_a_common_word_has_words_like_it_and_a_rare_one_none(like: LikeWords) -> None:
    assert {"cash", "funds"} & set(like.of("Money"))
    assert like.of("xqzv") == []


def test_they_are_made_of_known_words_and_differ(like: LikeWords) -> None:
    words = {word for text in TEXTS for word in text.split()}
    known = words | {other for word in words for other in like.of(word)}
    made = variants(TEXTS, 200, like, seed=1)
    assert len(made) == 200
    assert {word for text in made for word in text.split()} <= known
    assert all(made)
    assert len(set(made) - set(TEXTS)) > 100
    assert made == variants(TEXTS, 200, like, seed=1) != variants(TEXTS, 200, like, seed=2)


def test_of_no_words_none_are_made(like: LikeWords) -> None:
    assert variants([" "], 5, like, seed=1) == []
