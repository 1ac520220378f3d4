"""Which pieces does this text need? The base's vocabulary, trimmed once.

A 30,000-piece table is most of a small model's bytes and start-up. It keeps the pieces that
training and transfer text uses, those that BPE merges them from, and every single character (of
WordPiece alone and as a continuation), so that any text which the base could spell can still be
spelt. Characters that training text uses and the base does not know, an emoji or a script, get
pieces of their own: without one, WordPiece reads the whole word as [UNK]. Teacher and student share
the result.

Few texts do not use the words that others will, and a word that is spelt by its parts is hardly
known. So a small vocabulary is filled up with pieces of the base: half of them the commonest, half
those that are most like the pieces of the texts.

The written tokenizer.json has no added tokens, truncation or padding: a text that spells "[SEP]"
or a control token is just text, in any language's tokenizers library.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from model.aside import write_json
from model.encoding import encode
from training.base import check_size
from training.fit.base_tokenizer import BaseTokenizer
from training.fit.base_weights import unit_embeddings
from training.fit.schedule import FEW_ROWS
from training.recipe import Recipe, RecipeError
from training.run import FACTS, Run

MAX_TOKENS = (32, 256)  # bounds of the default max_tokens
NEW = -1
"""In place of the base's id of a piece."""
FEWEST_PIECES, FEWEST_PIECES_OF_FEW_ROWS = 10_000, 16_000
"""Where the recipe sets no limit."""
COVERED = 99.5  # percent of the training texts that the default max_tokens holds whole


def run(run: Run, folder: Path) -> None:
    """The stage `vocabulary`: write tokenizer.json, and the limits that follow from the text."""
    train = run.table.split("train")
    texts = [row.text for row in (*train, *run.table.transfer)]
    trim, pieces = run.recipe.vocabulary.trim, run.recipe.vocabulary.pieces
    trims = trim or pieces is not None
    filled = FEWEST_PIECES_OF_FEW_ROWS if len(train) <= FEW_ROWS else FEWEST_PIECES
    fewest = filled if pieces is None else 0
    made = (
        trim_vocabulary(run.base, texts, pieces, fewest)
        if trims
        else whole_vocabulary(run.base, texts)
    )
    run.tokenizer_path.write_text(made.tokenizer, encoding="utf-8")
    ids = encode(Tokenizer.from_str(made.tokenizer), texts, sys.maxsize).ids
    limit = token_limit(run.recipe, list(map(len, ids)))
    check_size(run.base, run.recipe.student, limit)
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


def whole_vocabulary(folder: Path, texts: Sequence[str] = ()) -> TrimmedVocabulary:
    """The base's vocabulary as it is, and the characters of `texts` that it lacks."""
    base = BaseTokenizer(folder)
    base.add_characters(texts)
    return TrimmedVocabulary(base.written(), _base_ids(base, base.ids))


def trim_vocabulary(
    folder: Path, texts: Sequence[str], max_pieces: int | None = None, fewest: int = 0
) -> TrimmedVocabulary:
    """The base's vocabulary, cut down to the pieces that `texts` use and the single characters.

    `max_pieces`: how many to keep; the pieces that `texts` use least are left out first.
    `fewest`: others of the base join until there are as many, half of them its first, which are
    the commonest, and half those most like the pieces that `texts` use.
    """
    base = BaseTokenizer(folder)
    base.add_characters(texts)
    used = Counter(chain.from_iterable(encode(base.tokenizer(), texts, sys.maxsize).ids))
    names, special, parts = list(base.ids), base.special, base.parts()
    chosen = {piece for piece in names if piece in special or base.is_character(piece)}
    if max_pieces is not None and max_pieces < len(chosen):
        raise RecipeError(
            f"[vocabulary] pieces: {max_pieces}; single characters alone are {len(chosen)}, "
            "give that or more"
        )
    frequent = (names[place] for place, _ in used.most_common())
    _choose(chosen, frequent, parts, sys.maxsize if max_pieces is None else max_pieces)
    if len(chosen) < fewest:
        half = (len(chosen) + fewest) // 2
        for most, others in ((half, names), (fewest, _most_alike(folder, names, used))):
            _choose(chosen, (name for name in others if name[:1] not in "[ "), parts, most)
    ordered = sorted(chosen, key=lambda piece: (piece not in special, base.ids[piece]))
    return TrimmedVocabulary(base.written(ordered), _base_ids(base, ordered))


def _most_alike(folder: Path, names: Sequence[str], used: Iterable[int]) -> list[str]:
    """The base's pieces, first those whose embeddings point where those of `used` do together."""
    directions = unit_embeddings(folder)
    places = [place for place in used if place < len(directions)]
    likeness = directions @ directions[places].sum(0)
    return [names[place] for place in np.argsort(-likeness, kind="stable") if place < len(names)]


def _choose(
    chosen: set[str], candidates: Iterable[str], parts: Mapping[str, list[str]], most: int
) -> None:
    """Add each candidate, with all that it is merged from, until `most` are chosen."""
    for piece in candidates:
        missing: set[str] = set()
        waiting = [piece]
        while waiting:
            part = waiting.pop()
            if part not in chosen and part not in missing:
                missing.add(part)
                waiting += parts.get(part, ())
        if len(chosen) + len(missing) > most:
            return
        chosen |= missing


def _base_ids(base: BaseTokenizer, pieces: Iterable[str]) -> list[int]:
    ids = (base.ids[piece] for piece in pieces)
    return [place if place < base.base_size else NEW for place in ids]
