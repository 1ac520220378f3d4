"""Which pieces does this text need? The base's WordPiece vocabulary, trimmed once.

A 30,000-piece table is most of a small model's bytes and start-up. It keeps the pieces that
training and transfer text uses, and every single character (alone and as a continuation), so
that any text which the base could spell can still be spelt. Characters that training text uses and
the base does not know, an emoji or a script, get pieces of their own: without one, WordPiece reads
the whole word as [UNK]. Teacher and student share the result.

The written tokenizer.json has no added tokens, truncation or padding: a text that spells "[SEP]"
or a control token is just text, in any language's tokenizers library.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from model.aside import write_json
from model.encoding import encode
from training.base import check_size
from training.recipe import Recipe, RecipeError
from training.run import FACTS, Run

MAX_TOKENS = (32, 256)  # bounds of the default max_tokens
NEW = -1
"""In place of the base's id of a piece."""
FEWEST_TEXTS, MOST_CHARACTERS = 2, 4000
FEWEST_PIECES = 10_000  # where the recipe sets no limit: commoner ones of the base join
COVERED = 99.5  # percent of the training texts that the default max_tokens holds whole


def run(run: Run, folder: Path) -> None:
    """The stage `vocabulary`: write tokenizer.json, and the limits that follow from the text."""
    texts = [row.text for row in (*run.table.split("train"), *run.table.transfer)]
    trim, pieces = run.recipe.vocabulary.trim, run.recipe.vocabulary.pieces
    trims = trim or pieces is not None
    fewest = FEWEST_PIECES if pieces is None else 0
    made = (
        trim_vocabulary(run.base, texts, pieces, fewest)
        if trims
        else whole_vocabulary(run.base, texts)
    )
    run.tokenizer_path.write_text(made.tokenizer, encoding="utf-8")
    ids = encode(Tokenizer.from_str(made.tokenizer), texts, sys.maxsize).ids
    limit = token_limit(run.recipe, list(map(len, ids)))
    check_size(run.base, run.recipe.student.layers, limit, run.recipe.student.width)
    facts = {"pieces": len(made.base_ids), "max_tokens": limit, "base_ids": made.base_ids}
    write_json(folder / FACTS, facts)


def token_limit(recipe: Recipe, lengths: Sequence[int]) -> int:
    """Longest `[CLS] text [SEP]` that is read: the recipe's, else what holds most of `lengths`."""
    covered = int(np.ceil(np.percentile(lengths, COVERED) / 8) * 8)
    return recipe.data.max_tokens or int(np.clip(covered, *MAX_TOKENS))


@dataclass(frozen=True)
class TrimmedVocabulary:
    """The tokenizer's JSON, and for each of its ids the id of the same piece in the base."""

    tokenizer: str
    base_ids: list[int]
    """NEW for a piece that the base does not have."""


def plain_tokenizer(folder: Path) -> dict[str, Any]:
    """The base's tokenizer.json without added tokens, truncation and padding."""
    document: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    if (kind := document["model"].get("type")) != "WordPiece":
        raise RecipeError(f"base: its tokenizer is {kind}; give a base with a WordPiece tokenizer")
    return {**document, "added_tokens": [], "truncation": None, "padding": None}


def whole_vocabulary(folder: Path, texts: Sequence[str] = ()) -> TrimmedVocabulary:
    """The base's vocabulary as it is, and the characters of `texts` that it lacks."""
    document = plain_tokenizer(folder)
    size = len(document["model"]["vocab"])
    base_ids = [*range(size), *([NEW] * _add_characters(document, texts))]
    return TrimmedVocabulary(json.dumps(document, ensure_ascii=False), base_ids)


def _add_characters(document: dict[str, Any], texts: Sequence[str]) -> int:
    """Add the characters of `texts` that the vocabulary lacks; returns how many pieces they are.

    Each is a piece that begins a word and one that continues it. A character of a single text
    would not be learnt.
    """
    vocab, size = document["model"]["vocab"], len(document["model"]["vocab"])
    prefix = document["model"]["continuing_subword_prefix"]
    normalizer = Tokenizer.from_str(json.dumps(document)).normalizer
    texts_of: Counter[str] = Counter()
    for text in texts:
        if not text.isascii():
            texts_of.update(set(normalizer.normalize_str(text) if normalizer else text))
    for char, count in texts_of.most_common(MOST_CHARACTERS):
        if count >= FEWEST_TEXTS and not {char, prefix + char} & vocab.keys() and char.strip():
            vocab[char], vocab[prefix + char] = len(vocab), len(vocab) + 1
    return len(vocab) - size


def trim_vocabulary(
    folder: Path, texts: Sequence[str], max_pieces: int | None = None, fewest: int = 0
) -> TrimmedVocabulary:
    """The base's vocabulary, cut down to the pieces that `texts` use and the single characters.

    `max_pieces`: how many to keep; the pieces that `texts` use least are left out first.
    `fewest`: the first of the base's others join until there are as many, since few texts do not
    use the words that others will; BERT's vocabularies begin with the common ones.
    """
    document = plain_tokenizer(folder)
    model = document["model"]
    base_size, prefix = len(model["vocab"]), model["continuing_subword_prefix"]
    _add_characters(document, texts)
    ids = encode(Tokenizer.from_str(json.dumps(document)), texts, sys.maxsize).ids
    used = Counter(chain.from_iterable(ids))
    special = _special_pieces(document, model["unk_token"])
    needed = {
        old
        for piece, old in model["vocab"].items()
        if piece in special or len(piece.removeprefix(prefix)) == 1
    }
    frequent = [old for old, _ in used.most_common() if old not in needed]
    if max_pieces is not None:
        if max_pieces < len(needed):
            raise RecipeError(
                f"[vocabulary] pieces: {max_pieces}; single characters alone are {len(needed)}, "
                "give that or more"
            )
        frequent = frequent[: max_pieces - len(needed)]
    base_ids = needed | set(frequent)
    others = sorted(
        old for piece, old in model["vocab"].items() if old not in base_ids and piece[0] != "["
    )
    base_ids |= set(others[: max(0, fewest - len(base_ids))])
    pieces = [(piece, old) for piece, old in model["vocab"].items() if old in base_ids]
    pieces.sort(key=lambda item: (item[0] not in special, item[1]))  # special pieces first
    model["vocab"] = {piece: new for new, (piece, _) in enumerate(pieces)}
    _renumber(document["post_processor"], model["vocab"])
    ids_in_base = [old if old < base_size else NEW for _, old in pieces]
    return TrimmedVocabulary(json.dumps(document, ensure_ascii=False), ids_in_base)


def _special_pieces(document: dict[str, Any], unknown: str) -> set[str]:
    """The unknown piece, and those that the post-processor puts around every text."""
    processor = document["post_processor"]
    if processor["type"] == "TemplateProcessing":
        return {unknown, "[PAD]", *processor["special_tokens"]}
    if processor["type"] == "BertProcessing":
        return {unknown, "[PAD]", processor["cls"][0], processor["sep"][0]}
    raise RecipeError(f"base: its tokenizer's {processor['type']} post-processor is not supported")


def _renumber(processor: dict[str, Any], vocab: dict[str, int]) -> None:
    if processor["type"] == "TemplateProcessing":
        for piece, entry in processor["special_tokens"].items():
            entry["ids"] = [vocab[piece]]
    else:
        for end in ("cls", "sep"):
            processor[end][1] = vocab[processor[end][0]]
