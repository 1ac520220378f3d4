"""Of a text that is too long the head, the tail or half of both is read, as if all were encoded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

from model.bundle import MANIFEST, TOKENIZER, BundleError, read_bundle
from model.bundle_writer import copied_bundle
from model.classifier import Classifier
from model.encoding import GROUP_CHARS, encode, printable, unread
from model.manifest import HEAD, HEAD_TAIL, LONG_TEXTS, TAIL
from model.occlusion import explain

ROOT = Path(__file__).parents[2]
BUNDLES = ("model/ingredients", "tests/frozen/bundle")
Ids = list[int]
CUTS: dict[str, Callable[[Ids, int], Ids]] = {
    HEAD: lambda row, limit: [*row[: limit - 1], row[-1]],
    TAIL: lambda row, limit: [row[0], *row[len(row) - limit + 1 :]],
    HEAD_TAIL: lambda row, limit: [*row[: limit // 2], *row[len(row) - (limit + 1) // 2 :]],
}
"""A whole row, `[CLS] text [SEP]`, cut to so many tokens."""
PARTS = (
    "honey", "Crème", "e\u0301", "\u0301",
    "straße", "ΟΔΟΣ", "İ", "北京", "가나다", "😀", "👩\u200d🚀",
    "\u200b", "x" * 70, "x" * 120, "don't", "3.14", "[SEP]", "##a", "\x00", "\ud800", "\udc00",
    " ", "  ", " " * 90, "\n", "\t", "\u00a0", "\u3000", "\u2028", "\x1f",
)  # fmt: skip
LONG = st.lists(st.sampled_from(PARTS) | st.text(st.characters(), max_size=9), max_size=100)


def trained(model: Any, trainer: Any, spaces: Any) -> Tokenizer:
    """A tokenizer of another family than the bundles', of a few texts."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = spaces
    texts = ["raw honey", "butter  knife", "salt  and\n\n\nhoney", "don't", "Crème 3.14"] * 9
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(piece, tokenizer.token_to_id(piece)) for piece in SPECIAL]
    tokenizer.post_processor = TemplateProcessing("<s> $0 </s>", special_tokens=ends)
    return tokenizer


SPECIAL = ["<s>", "</s>", "<unk>"]
ALPHABET: list[str] = pre_tokenizers.ByteLevel.alphabet()
OTHERS: dict[str, Callable[[], Tokenizer]] = {
    "bytes": lambda: trained(
        models.BPE(),
        trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=ALPHABET),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ),
    "unigram": lambda: trained(
        models.Unigram(),
        trainers.UnigramTrainer(vocab_size=90, special_tokens=SPECIAL, unk_token="<unk>"),
        pre_tokenizers.Metaspace(),
    ),
}


@pytest.fixture(scope="module", params=[*BUNDLES, *OTHERS])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param in OTHERS:
        return OTHERS[request.param]()
    return Tokenizer.from_file(str(ROOT / request.param / TOKENIZER))


@given(LONG, st.sampled_from(["", " "]), st.sampled_from([1, 7, 30]), st.integers(3, 40))
@settings(deadline=None, max_examples=100)
def test_ids_are_those_of_the_whole_text_cut(
    tokenizer: Tokenizer, parts: list[str], joint: str, repeats: int, limit: int
) -> None:
    text = joint.join(parts * repeats)
    whole = tokenizer.encode(printable(text)).ids
    for long_texts, cut in CUTS.items():
        encoded = encode(tokenizer, ["", text, "salt " * 99], limit, long_texts)
        assert encoded.ids[1] == (cut(whole, limit) if len(whole) > limit else whole)
        assert encoded.truncated == [index for index in (1, 2) if index == 2 or len(whole) > limit]


class Watched:
    """A tokenizer that notes how many characters it is given at once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.chars: list[int] = []

    def encode_batch_fast(self, texts: list[str]) -> object:
        self.chars.append(sum(map(len, texts)))
        return self._tokenizer.encode_batch_fast(texts)


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_no_more_of_a_long_text_is_tokenized_than_is_read(
    tokenizer: Tokenizer, long_texts: str
) -> None:
    watched = Watched(tokenizer)
    encode(watched, ["honey and salt " * 20_000] * 40, 512, long_texts)  # type: ignore[arg-type]
    ends = 2 if long_texts == HEAD_TAIL else 1
    assert max(watched.chars) <= GROUP_CHARS + 8 * 512
    assert sum(watched.chars) <= ends * 40 * 8 * 512


def test_what_is_not_read_lies_behind_before_or_between() -> None:
    assert [unread(10, 4, part) for part in LONG_TEXTS] == [(4, 10), (0, 6), (2, 8)]
    assert [unread(4, 4, part) for part in LONG_TEXTS] == [(4, 4)] * 3


def copy_that_reads(bundle_path: Path, folder: Path, long_texts: str) -> Classifier:
    copied_bundle(read_bundle(bundle_path), folder, long_texts=long_texts)
    return Classifier.load(folder)


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_a_bundle_answers_by_the_part_that_it_reads(
    bundle_path: Path, classifier: Classifier, tmp_path: Path, long_texts: str
) -> None:
    reading = copy_that_reads(bundle_path, tmp_path / "copy", long_texts)
    limit = reading.bundle.max_tokens
    ends = "honey", "knife"
    texts = ["honey " + "salt " * limit + "knife"]
    (row,) = reading.encode(texts).ids
    pieces = [reading.encode([word]).ids[0][1:-1] for word in ends]
    read = [row[1 : 1 + len(pieces[0])] == pieces[0], row[-1 - len(pieces[1]) : -1] == pieces[1]]
    assert read == [long_texts != TAIL, long_texts != HEAD]
    assert reading.predict_detailed(texts).truncated == [0]
    assert read_bundle(tmp_path / "copy").long_texts == long_texts
    short = ["raw honey"]
    assert reading.encode(short).ids == classifier.encode(short).ids


@pytest.mark.parametrize(("long_texts", "places"), [(HEAD, "a"), (TAIL, "z"), (HEAD_TAIL, "az")])
def test_words_are_left_out_where_the_bundle_reads(
    bundle_path: Path, tmp_path: Path, long_texts: str, places: str
) -> None:
    reading = copy_that_reads(bundle_path, tmp_path / "copy", long_texts)
    text = "honey knife lard " + "salt " * 4000 + " tofu chicken rice"
    (explanation,) = explain(reading, [text], reading.predict([text]), strongest=99)
    words = [word for effects in explanation.values() for word in effects]
    assert all(text[word["start"] : word["end"]] == word["word"] for word in words)
    told = {word["word"] for word in words}
    assert bool(told & {"honey", "knife", "lard"}) == ("a" in places)
    assert bool(told & {"tofu", "chicken", "rice"}) == ("z" in places)


def test_another_part_is_refused_and_none_is_the_head(bundle_path: Path, tmp_path: Path) -> None:
    frozen = read_bundle(ROOT / "tests/frozen/bundle")
    assert "long_texts" not in json.loads((frozen.path / MANIFEST).read_text())
    assert frozen.long_texts == HEAD
    folder = tmp_path / "copy"
    shutil.copytree(bundle_path, folder)
    manifest = json.loads((folder / MANIFEST).read_text()) | {"long_texts": "middle"}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="long_texts must be one of head, tail, head_tail"):
        read_bundle(folder)
