"""The trimmed tokenizer spells whatever the base could, and no text spells a special token."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.training.conftest import TEXTS
from training.fit.base_weights import piece_embeddings
from training.fit.vocabulary import (
    NEW,
    TrimmedVocabulary,
    trim_vocabulary,
    whole_vocabulary,
)
from training.recipe import RecipeError

UNKNOWN, CLS, SEP = 1, 2, 3


@pytest.fixture(scope="module")
def whole(base: Path) -> Tokenizer:
    return Tokenizer.from_str(whole_vocabulary(base).tokenizer)


def test_training_text_is_cut_into_the_same_pieces_as_before(
    tokenizer: Tokenizer, whole: Tokenizer
) -> None:
    for text in TEXTS:
        assert tokenizer.encode(text).tokens == whole.encode(text).tokens


def test_each_id_keeps_the_bases_piece(
    vocabulary: TrimmedVocabulary, tokenizer: Tokenizer, whole: Tokenizer
) -> None:
    assert len(vocabulary.base_ids) == tokenizer.get_vocab_size() < whole.get_vocab_size() / 10
    for new, old in enumerate(vocabulary.base_ids):
        assert tokenizer.id_to_token(new) == whole.id_to_token(old)


def test_a_smaller_vocabulary_keeps_the_frequent_pieces(base: Path) -> None:
    texts = ["chicken honey", "chicken honey", "chicken breast"]
    everything = len(trim_vocabulary(base, texts).base_ids)
    smaller = trim_vocabulary(base, texts, everything - 1)
    assert len(smaller.base_ids) == everything - 1
    encode = Tokenizer.from_str(smaller.tokenizer).encode
    assert encode("chicken honey").tokens == ["[CLS]", "chicken", "honey", "[SEP]"]
    spelt = encode("breast").tokens[1:-1]
    assert len(spelt) > 1
    assert "".join(piece.removeprefix("##") for piece in spelt) == "breast"


def test_a_small_one_is_filled_with_the_common_pieces_of_the_base(base: Path) -> None:
    vocabulary = trim_vocabulary(base, ["zucchini"], fewest=6000)
    assert len(vocabulary.base_ids) == 6000
    encode = Tokenizer.from_str(vocabulary.tokenizer).encode
    assert encode("the kitchen money").tokens == ["[CLS]", "the", "kitchen", "money", "[SEP]"]
    assert not any(piece.startswith("[unused") for piece in encode("zucchini").tokens)
    assert len(trim_vocabulary(base, ["the kitchen money"], fewest=9).base_ids) < 6000


def test_words_like_those_of_the_texts_join_before_commoner_ones(
    base: Path, whole: Tokenizer
) -> None:
    def read_whole(*texts: str) -> bool:
        made = trim_vocabulary(base, texts, fewest=10_000)
        return whole.token_to_id("recipes") in made.base_ids

    assert read_whole("cooking garlic soup", "baked cheese and onion", "a chicken dish")
    assert not read_whole("the senate election", "a court ruled on taxes", "the treaty of war")


def test_too_few_pieces_say_how_many_there_must_be(base: Path) -> None:
    with pytest.raises(RecipeError, match=r"pieces: 10; single characters alone are [0-9]+, give"):
        trim_vocabulary(base, ["honey"], 10)


@given(st.text(max_size=40))
def test_what_the_base_could_spell_can_still_be_spelt(
    tokenizer: Tokenizer, whole: Tokenizer, text: str
) -> None:
    def spelling(cutter: Tokenizer) -> tuple[str, int]:
        tokens = cutter.encode(text).tokens
        return "".join(token.removeprefix("##") for token in tokens), tokens.count("[UNK]")

    assert spelling(tokenizer) == spelling(whole)


@given(
    st.lists(st.sampled_from(["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "honey", " ", "##"]))
)
def test_no_text_spells_a_special_token(tokenizer: Tokenizer, parts: list[str]) -> None:
    ids = tokenizer.encode("".join(parts)).ids
    assert ids[0] == CLS
    assert ids[-1] == SEP
    assert not {0, CLS, SEP} & set(ids[1:-1])
    assert max(ids) < tokenizer.get_vocab_size()


def test_the_file_leaves_nothing_for_a_flag_to_forget(base: Path) -> None:
    document = json.loads(whole_vocabulary(base).tokenizer)
    assert document["added_tokens"] == []
    assert document["truncation"] is None
    assert document["padding"] is None
    raw = json.loads((base / "tokenizer.json").read_text())
    assert raw["truncation"] is not None, "the base's own file does truncate: dropping it matters"


FACES = ["so good 😀😀", "good😀", "bad 😡", "so bad 😡", "我喜欢", "你喜欢", "seen once 🦄"]


@pytest.mark.parametrize("trims", [True, False])
def test_characters_that_the_base_lacks_get_pieces(base: Path, trims: bool) -> None:
    made = trim_vocabulary(base, FACES) if trims else whole_vocabulary(base, FACES)
    tokenizer = Tokenizer.from_str(made.tokenizer)
    assert tokenizer.encode("good😀 喜欢").tokens == ["[CLS]", "good", "##😀", "喜", "欢", "[SEP]"]
    assert tokenizer.encode("seen once 🦄").tokens[-2] == "[UNK]"
    assert made.base_ids[tokenizer.get_vocab()["😡"]] == NEW
    assert len(made.base_ids) == tokenizer.get_vocab_size()


def test_new_pieces_look_like_the_bases_and_unlike_each_other() -> None:
    table = torch.randn(500, 64, generator=torch.Generator().manual_seed(2)) * 0.05 + 0.1
    rows = piece_embeddings(table, [3, NEW, 4, NEW])
    assert torch.equal(rows[[0, 2]], table[[3, 4]])
    first, second = rows[1] - table.mean(0), rows[3] - table.mean(0)
    assert abs(float(torch.cosine_similarity(first, second, 0))) < 0.5
    assert float(first.norm()) == pytest.approx(
        float((table - table.mean(0)).norm(dim=1).mean()), rel=0.3
    )
