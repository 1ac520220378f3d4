"""How much of the texts is not read is told for each split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from training.recipe import SPLITS, Recipe, read_recipe
from training.rows.table import read_table
from training.rows.truncation import Truncation, truncation, truncation_line

RECIPE = """
[data]
files = ["rows.jsonl"]
max_tokens = {max_tokens}
{keys}
[[task]]
name = "mood"
kind = "single"
"""


def write_recipe(folder: Path, max_tokens: int, keys: str = "") -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(max_tokens=max_tokens, keys=keys))
    return read_recipe(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of four rows that train one has 600 tokens, of two that choose one has 110."""
    lengths = {"train": (598, 8, 8, 8), "validation": (108, 8), "test": (8,), None: (98,)}
    rows = [
        {"text": f"{'good ' * length}".strip(), "mood": "good", "split": split}
        if split
        else {"text": f"{'fine ' * length}".strip()}
        for split, part in lengths.items()
        for length in part
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def truncated(recipe: Recipe) -> Truncation:
    """Of a tokenizer whose tokens are words."""
    limit = recipe.data.max_tokens or 0
    vocabulary = {piece: place for place, piece in enumerate(("[CLS]", "[SEP]", "good", "fine"))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="good"))
    tokenizer.pre_tokenizer = Whitespace()
    ends = [("[CLS]", 0), ("[SEP]", 1)]
    tokenizer.post_processor = TemplateProcessing("[CLS] $0 [SEP]", special_tokens=ends)
    return truncation(tokenizer, read_table(recipe), limit, recipe.data.long_texts)


def test_shares_of_texts_and_tokens_are_those_of_each_split(folder: Path) -> None:
    facts = truncated(write_recipe(folder, 100))
    assert facts["splits"] == {
        "train": {"texts": 4, "cut": 1, "tokens": 630, "unread_tokens": 500},
        "validation": {"texts": 2, "cut": 1, "tokens": 120, "unread_tokens": 10},
        "test": {"texts": 1, "cut": 0, "tokens": 10, "unread_tokens": 0},
        "unlabelled": {"texts": 1, "cut": 0, "tokens": 100, "unread_tokens": 0},
    }
    assert truncation_line(facts) == (
        "texts cut to 100 tokens, the first and last: 25.0 % of train (79.4 % of its tokens not "
        "read), 50.0 % of validation (8.3 % of its tokens not read)"
    )


@pytest.mark.parametrize(("part", "read"), [("head", "the first"), ("tail", "the last")])
def test_it_is_said_which_part_is_read(folder: Path, part: str, read: str) -> None:
    line = truncation_line(truncated(write_recipe(folder, 100, f'long_texts = "{part}"')))
    assert f"cut to 100 tokens, {read}: 25.0 % of train" in line


def test_where_all_is_read_that_is_said(folder: Path) -> None:
    rows = [{"text": name, "mood": "good", "split": name} for name in SPLITS]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = truncation_line(truncated(write_recipe(folder, 32)))
    assert line == "texts cut to 32 tokens: none of 3 looked at"
