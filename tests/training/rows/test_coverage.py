"""What the base does not read of a text is told, with the characters that it lacks."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from training.examine import base_tokenizer
from training.fit.vocabulary import MAX_TOKENS
from training.recipe import DEFAULT_BASE, Data, DataFile, Recipe, TaskSpec
from training.rows.coverage import coverage


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    from pathlib import Path

    data = Data(files=(DataFile(path=Path("rows.csv")),))
    recipe = Recipe("any", DEFAULT_BASE, data, (TaskSpec("mood", "single", "mood"),))
    return base_tokenizer(recipe)


def test_emoji_are_named_with_their_share(tokenizer: Tokenizer) -> None:
    texts = ["what a day 😀"] * 30 + ["what a day 😡"] * 20 + ["what a day"] * 50
    read = coverage(tokenizer, texts, MAX_TOKENS[1])
    assert (read.unknown, read.unknown_texts) == (50, 50)
    (problem,) = read.problems()
    assert "in 50.0 % of the texts" in problem
    assert "'😀' (in 30), '😡' (in 20)" in problem


def test_chinese_is_named(tokenizer: Tokenizer) -> None:
    (problem,) = coverage(tokenizer, ["我喜欢北京的天气"] * 3, MAX_TOKENS[1]).problems()
    assert "unknown to the base" in problem


def test_what_is_cut_is_told(tokenizer: Tokenizer) -> None:
    texts = ["good " * 510] * 5 + ["good"] * 5
    read = coverage(tokenizer, texts, 256)
    assert (read.cut, read.longest, read.unread) == (5, 512, 5 * 256)
    (problem,) = read.problems()
    assert "50.0 % of the texts are longer than 256 tokens (the longest has 512)" in problem


def test_plain_english_has_no_problem(tokenizer: Tokenizer) -> None:
    assert list(coverage(tokenizer, ["boneless chicken breast", "raw honey"], 32).problems()) == []
