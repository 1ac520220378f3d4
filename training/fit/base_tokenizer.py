"""What pieces does a base's tokenizer have? WordPiece, Unigram and BPE, read and written alike.

Added tokens are dropped, so no text is searched for them. The special ones among the pieces get a
blank in front of their name, which neither Unigram nor BPE ever sees inside a word: a text that
spells "<s>" is just text. WordPiece splits such a text at its punctuation.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders

from training.recipe import RecipeError

KINDS = ("WordPiece", "Unigram", "BPE")
PADDING, MASK = ("[PAD]", "<pad>"), ("[MASK]", "<mask>")
WORD_BEGINS = "\u2581"
"""In place of the blank before a word, where the tokenizer does not work on bytes."""
BYTE = re.compile("<0x[0-9A-F]{2}>")
FEWEST_TEXTS, MOST_CHARACTERS = 2, 4000


class BaseTokenizer:
    """A base's tokenizer.json without added tokens, truncation and padding."""

    def __init__(self, folder: Path) -> None:
        """Raises RecipeError where it is of another kind, or a text could spell a special token."""
        document: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        self.document = {**document, "added_tokens": [], "truncation": None, "padding": None}
        self.model: dict[str, Any] = document["model"]
        self.kind = str(self.model.get("type"))
        _refuse_unsupported(self.kind, self.model)
        self.on_bytes = '"ByteLevel"' in json.dumps(document["pre_tokenizer"])
        self.prefix = self.model.get("continuing_subword_prefix") or ""
        ids = _piece_ids(self.model)
        self.scores = dict(self.model["vocab"]) if self.kind == "Unigram" else {}
        unknown = self._unknown_name(ids)
        added = document["added_tokens"]
        frame = _framing(document["post_processor"])
        specials = {entry["content"] for entry in added if entry["special"]}
        specials |= {*_frame_names(frame), *PADDING, *([unknown] if unknown else [])}
        ids |= {entry["content"]: entry["id"] for entry in added}
        self._names = {name: self._unspellable(name) for name in specials if name in ids}
        named = {place: self._names.get(name, name) for name, place in ids.items()}
        self.ids = {
            named.get(place, self._unspellable(str(place))): place
            for place in range(max(named) + 1)
        }
        """The base's id of each piece, ascending; of characters that it lacks, later ones."""
        self.base_size = len(self.ids)
        self.unknown = self._names.get(unknown or "")
        self.padding = next((self._names[name] for name in PADDING if name in ids), None)
        self.mask = next((self._names.get(name) for name in MASK if name in ids), None)
        self.framing = {self._names[name] for name in _frame_names(frame)}
        self._refuse_spellable()

    @property
    def special(self) -> set[str]:
        """Pieces that every bundle needs, although no text spells them."""
        return {*self.framing, *(piece for piece in (self.unknown, self.padding) if piece)}

    def is_character(self, piece: str) -> bool:
        """Whether all texts need it, since no other piece spells what it spells."""
        return len(piece.removeprefix(self.prefix)) == 1 or (
            bool(self.model.get("byte_fallback")) and BYTE.fullmatch(piece) is not None
        )

    def words(self) -> Iterator[tuple[str, int]]:
        """Pieces that are whole words of two letters or more, as text, and their ids."""
        decoder: Any = decoders.ByteLevel()
        for piece, place in self.ids.items():
            word = piece
            if self.kind != "WordPiece":
                text = decoder.decode([piece]) if self.on_bytes else piece
                blank, word = text[:1], text[1:]
                if blank not in (" ", WORD_BEGINS):
                    continue
            if word.isalpha() and word[1:]:
                yield word, place

    def add_characters(self, texts: Iterable[str]) -> None:
        """Add the characters of `texts` that it lacks; of WordPiece, one that begins a word and
        one that continues it. A character of a single text would not be learnt."""
        if self.on_bytes or self.model.get("byte_fallback"):
            return
        normalizer = self.tokenizer().normalizer
        texts_of: Counter[str] = Counter()
        for text in texts:
            if not text.isascii():
                texts_of.update(sorted(set(normalizer.normalize_str(text) if normalizer else text)))
        lowest = min(self.scores.values(), default=0.0)
        for char, count in texts_of.most_common(MOST_CHARACTERS):
            pieces = (char, self.prefix + char) if self.prefix else (char,)
            if count >= FEWEST_TEXTS and not {*pieces} & self.ids.keys() and char.strip():
                self.ids |= {piece: len(self.ids) + more for more, piece in enumerate(pieces)}
                self.scores |= dict.fromkeys(pieces, lowest)

    def parts(self) -> dict[str, list[str]]:
        """Of each piece that BPE merges, the pieces that it is merged from, in one step."""
        parts: dict[str, list[str]] = defaultdict(list)
        for left, right in self._merges():
            parts[left + right] += (left, right)
        return parts

    def tokenizer(self, pieces: Sequence[str] | None = None) -> Tokenizer:
        """Of `pieces` in the order of their ids; None: of all."""
        return Tokenizer.from_str(self.written(pieces))

    def written(self, pieces: Sequence[str] | None = None) -> str:
        """The JSON of that tokenizer."""
        ids = {piece: place for place, piece in enumerate(self.ids if pieces is None else pieces)}
        model = {**self.model, "vocab": ids}
        if self.kind == "Unigram":
            model["vocab"] = [[piece, self.scores.get(piece, 0.0)] for piece in ids]
            model["unk_id"] = ids.get(self.unknown or "")
        elif self.kind == "BPE":
            model |= {
                "merges": [pair for pair in self._merges() if {*pair, "".join(pair)} <= ids.keys()]
            }
            model["unk_token"] = self.unknown
        frame = _framing(self.document["post_processor"])
        if frame["type"] == "TemplateProcessing":
            for name, entry in frame["special_tokens"].items():
                entry["ids"] = [ids[self._names[name]]]
        else:
            for end in ("cls", "sep"):
                frame[end][1] = ids[self._names[frame[end][0]]]
        return json.dumps({**self.document, "model": model}, ensure_ascii=False)

    def _merges(self) -> Iterator[list[str]]:
        for pair in self.model.get("merges", ()):
            yield pair.split(" ") if isinstance(pair, str) else pair

    def _unknown_name(self, ids: dict[str, int]) -> str | None:
        if self.kind == "Unigram":
            return next(
                (name for name, place in ids.items() if place == self.model["unk_id"]), None
            )
        return self.model.get("unk_token")

    def _unspellable(self, name: str) -> str:
        return name if self.kind == "WordPiece" else f" {name}"

    def _refuse_spellable(self) -> None:
        tokenizer = self.tokenizer()
        frame = tokenizer.encode("").ids
        if len(frame) != 2:
            raise RecipeError(
                f"base: its tokenizer puts {len(frame)} special tokens around a text; give a base "
                "that puts one before and one after it"
            )
        special = {self.ids[piece] for piece in self._names.values()} - {
            self.ids.get(self.unknown or "")
        }
        for name in self._names:
            spelt = special & {*tokenizer.encode(f"a {name} {name}b{name}").ids[1:-1]}
            if spelt:
                raise RecipeError(f"base: with its tokenizer a text can spell {name!r}")


def _refuse_unsupported(kind: str, model: dict[str, Any]) -> None:
    if kind not in KINDS:
        raise RecipeError(f"base: its tokenizer is {kind}; give a base with {', '.join(KINDS)}")
    marks = ("continuing_subword_prefix", "end_of_word_suffix")
    if kind == "BPE" and any(map(model.get, marks)):
        raise RecipeError("base: its BPE marks pieces inside words; give one that marks none")


def _piece_ids(model: dict[str, Any]) -> dict[str, int]:
    if model["type"] == "Unigram":
        return {piece: place for place, (piece, _) in enumerate(model["vocab"])}
    return dict(model["vocab"])


def _framing(processor: dict[str, Any] | None) -> dict[str, Any]:
    """The part of the post-processor that puts special tokens around a text."""
    kind = processor["type"] if processor else None
    if processor and kind == "Sequence":
        for part in processor["processors"]:
            if part["type"] != "ByteLevel":
                return _framing(part)
    if processor and kind in ("TemplateProcessing", "BertProcessing", "RobertaProcessing"):
        return processor
    raise RecipeError(f"base: its tokenizer's {kind} post-processor is not supported")


def _frame_names(frame: dict[str, Any]) -> list[str]:
    if frame["type"] == "TemplateProcessing":
        return list(frame["special_tokens"])
    return [frame["cls"][0], frame["sep"][0]]
