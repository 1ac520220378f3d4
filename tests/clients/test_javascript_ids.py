"""Texts become the same ids in JavaScript as in Python, whatever they hold."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from model.encoding import encode
from tests.clients.javascript import run_node
from tests.clients.odd_texts import odd_texts

pytestmark = pytest.mark.js
WHOLE = 10**9
NORMALIZERS = [
    {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": False},
    {"clean_text": False, "handle_chinese_chars": False, "strip_accents": True, "lowercase": False},
    {"clean_text": False, "handle_chinese_chars": True, "strip_accents": False, "lowercase": True},
]
BERT_PROCESSING = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}


@pytest.fixture(scope="module")
def description(bundle_path: Path) -> dict[str, Any]:
    """The shipped tokenizer.json."""
    document: dict[str, Any] = json.loads((bundle_path / "tokenizer.json").read_text("utf-8"))
    return document


def assert_same_ids(description: dict[str, Any], texts: list[str], max_tokens: int) -> None:
    request = [{"description": description, "texts": texts, "maxTokens": max_tokens}]
    (actual,) = run_node("node_ids.js", request)
    expected = encode(Tokenizer.from_str(json.dumps(description)), texts, max_tokens).ids
    wrong = [
        (text, ours, theirs)
        for text, ours, theirs in zip(texts, expected, actual, strict=True)
        if ours != theirs
    ]
    assert wrong[:5] == []


def around_each(characters: list[str]) -> list[str]:
    """Texts with every character inside a word and at its end, a few hundred to a text."""
    words = [f"a{character}b{character}" for character in characters]
    return [" ".join(words[start : start + 256]) for start in range(0, len(words), 256)]


@pytest.mark.parametrize("max_tokens", [3, 32, WHOLE])
def test_odd_texts(description: dict[str, Any], max_tokens: int) -> None:
    assert_same_ids(description, odd_texts(4000, seed=max_tokens), max_tokens)


@pytest.mark.parametrize("normalizer", NORMALIZERS, ids=lambda it: "-".join(map(str, it.values())))
def test_odd_texts_by_other_normalizers(
    description: dict[str, Any], normalizer: dict[str, Any]
) -> None:
    """The vocabulary has all characters of the texts, so that every change to one shows."""
    texts = odd_texts(2000, seed=5)
    changed = {**description, "normalizer": {"type": "BertNormalizer", **normalizer}}
    assert_same_ids(with_characters(changed, sorted(set("".join(texts)))), texts, 64)


def test_another_post_processor(description: dict[str, Any]) -> None:
    changed = {**description, "post_processor": BERT_PROCESSING}
    assert_same_ids(changed, odd_texts(200, seed=6), 32)


def test_every_code_point(description: dict[str, Any]) -> None:
    """Of the first two planes every one, of the others every seventh."""
    points = [*range(0x20000), *range(0x20000, 0x110000, 7)]
    assert_same_ids(description, around_each([chr(point) for point in points]), WHOLE)


def test_every_character_that_a_vocabulary_may_have(description: dict[str, Any]) -> None:
    characters = [chr(point) for point in range(0x20000) if is_settled(chr(point))]
    assert_same_ids(with_characters(description, characters), around_each(characters), WHOLE)


def is_settled(character: str) -> bool:
    """Assigned by Unicode 3.2 already: decompositions and cases are those of every engine."""
    category = unicodedata.ucd_3_2_0.category(character)
    return category not in ("Cn", "Cs", "Co", "Zs", "Cc")


def with_characters(description: dict[str, Any], characters: list[str]) -> dict[str, Any]:
    """A tokenizer that knows each character, and what it is made of, alone and inside a word."""
    parts = {
        part
        for character in characters
        for form in (character, character.lower(), unicodedata.normalize("NFD", character))
        for part in (*form, *form.lower())
        if not "\ud800" <= part <= "\udfff"
    }
    model = description["model"]
    vocabulary = dict(model["vocab"])
    for part in sorted(parts):
        vocabulary.setdefault(part, len(vocabulary))
        vocabulary.setdefault(f"##{part}", len(vocabulary))
    return {**description, "model": {**model, "vocab": vocabulary}}
