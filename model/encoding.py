"""Texts to rows of ids, and rows to the graph's two inputs. Standard library only."""

from __future__ import annotations

from array import array

from model.manifest import HEAD, HEAD_TAIL, TAIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

BLANK = " "
"""Tokenizers split words at it; what else they split at differs from one to another."""
SELECTORS = (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
INVISIBLE = frozenset((0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0, *SELECTORS))
"""Fillers, the empty Braille cell, variation selectors: printable, says Python."""
HIDDEN_FROM_PYTHON = ("Co", "Cn", "Cs")
"""Not printable, says Python, but perhaps seen: private use, later Unicodes, half a pair."""
CHARS_PER_TOKEN = 8
"""Of a long text, so many characters for each token that it may have are tokenized first."""
GROWTH = 4
GROUP_CHARS = 2**16


class Encoded:
    """Texts as the graph's rows, before control ids and padding."""

    def __init__(self, ids: list[list[int]], truncated: list[int]) -> None:
        self.ids = ids
        """`[CLS] text [SEP]` of each text, cut to the bundle's `max_tokens`."""
        self.truncated = truncated
        """Ascending indices of the texts that were cut."""


class GraphInputs:
    """`input_ids` and `attention_mask`, [rows, tokens], each in one flat array of int64."""

    def __init__(
        self, rows: int, tokens: int, input_ids: array[int], attention_mask: array[int]
    ) -> None:
        self.rows = rows
        self.tokens = tokens
        self.input_ids = input_ids
        self.attention_mask = attention_mask

    def numpy(self) -> dict[str, NDArray[np.int64]]:
        """Both as numpy arrays [rows, tokens] over the same memory, by name."""
        import numpy as np

        shape = (self.rows, self.tokens)
        return {
            "input_ids": np.frombuffer(self.input_ids, np.int64).reshape(shape),
            "attention_mask": np.frombuffer(self.attention_mask, np.int64).reshape(shape),
        }


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int, long_texts: str = HEAD
) -> Encoded:
    """Ids of each text; of one that is too long the first, the last, or half of both.

    `max_tokens` counts [CLS] and [SEP], which stay; `long_texts` is one of LONG_TEXTS.
    """
    if long_texts != HEAD_TAIL:
        return _encode_one_end(tokenizer, texts, max_tokens, long_texts)
    encoded = _encode_one_end(tokenizer, texts, max_tokens, HEAD)
    cut = [texts[index] for index in encoded.truncated]
    tails = _encode_one_end(tokenizer, cut, max_tokens, TAIL).ids
    for index, tail in zip(encoded.truncated, tails, strict=True):
        encoded.ids[index] = _shortened(encoded.ids[index][:-1] + tail[1:], max_tokens, HEAD_TAIL)
    return encoded


def _encode_one_end(
    tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int, end: str
) -> Encoded:
    """As `encode`, where `end` is HEAD or TAIL.

    Of a long text no more is tokenized than that takes: a part from that end, and a longer one as
    long as it gives too few tokens. Tokenizing makes some 140 bytes of a character, so texts come
    in groups, too.
    """
    ids: list[list[int]] = [[]] * len(texts)
    truncated: list[int] = []
    chars = CHARS_PER_TOKEN * max_tokens
    excerpt = ending if end == TAIL else beginning
    waiting: Sequence[int] = range(len(texts))
    while waiting:
        unfinished: list[int] = []
        for group in _groups(texts, waiting, chars):
            excerpts = [excerpt(texts[index], chars) for index in group]
            encodings = tokenizer.encode_batch_fast([printable(text) for text in excerpts])
            for index, text, encoding in zip(group, excerpts, encodings, strict=True):
                row = encoding.ids
                if len(row) > max_tokens:
                    ids[index] = _shortened(row, max_tokens, end)
                    truncated.append(index)
                elif len(text) < len(texts[index]):
                    unfinished.append(index)
                else:
                    ids[index] = row
        waiting, chars = unfinished, chars * GROWTH
    return Encoded(ids, sorted(truncated))


def _shortened(row: list[int], max_tokens: int, long_texts: str) -> list[int]:
    """`[CLS] text [SEP]` of more than `max_tokens`, cut to that."""
    start, end = unread(len(row) - 2, max_tokens - 2, long_texts)
    return row[: 1 + start] + row[1 + end :]


def unread(length: int, limit: int, long_texts: str) -> tuple[int, int]:
    """From where to where a sequence of `length` is not read where `limit` of it may be."""
    if length <= limit:
        return length, length
    start = {HEAD: limit, TAIL: 0, HEAD_TAIL: limit // 2}[long_texts]
    return start, start + length - limit


def beginning(text: str, chars: int) -> str:
    """About `chars` characters of a text, up to a blank: their tokens are those of the whole."""
    if len(text) <= chars:
        return text
    end = text.rfind(BLANK, 0, chars)
    while end > 0 and text[end - 1].isspace():  # blanks in a row may be one token
        end = text.rfind(BLANK, 0, end)
    if end < 1:
        end = text.find(BLANK, chars)
    return text[:end] if end > 0 else text


def ending(text: str, chars: int) -> str:
    """About `chars` characters of a text, from a blank on: their tokens are those of the whole."""
    if len(text) <= chars:
        return text
    start = text.find(BLANK, len(text) - chars)
    while start >= 0 and text[start + 1 : start + 2].isspace():
        start = text.find(BLANK, start + 1)
    if start < 0:
        start = text.rfind(BLANK, 0, len(text) - chars)
    return text[max(start, 0) :]


def _groups(texts: Sequence[str], indices: Sequence[int], chars: int) -> Iterator[list[int]]:
    """Stretches of `indices` whose texts have, up to `chars` each, about GROUP_CHARS in all."""
    group: list[int] = []
    size = 0
    for index in indices:
        group.append(index)
        size += min(len(texts[index]), chars)
        if size >= GROUP_CHARS:
            yield group
            group, size = [], 0
    if group:
        yield group


def printable(text: str) -> str:
    """The text with U+FFFD for every lone surrogate.

    JSON can spell half of a surrogate pair; no UTF-8 text can hold it, so tokenizers refuses it.
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_blank(text: str) -> bool:
    """Whether a text holds nothing that can be seen: blanks, control and formatting characters."""
    return not any(map(_is_visible, text))


def _is_visible(character: str) -> bool:
    if character.isprintable():
        return not character.isspace() and ord(character) not in INVISIBLE
    import unicodedata  # few texts need it

    return unicodedata.category(character) in HIDDEN_FROM_PYTHON


def chunks(lengths: Sequence[int], max_rows: int, max_padded_tokens: int) -> Iterator[list[int]]:
    """Indices of rows of like length, the shortest first, within both limits.

    A row longer than `max_padded_tokens` gets a chunk to itself.
    """
    chunk: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = (len(chunk) + 1) * lengths[index]
        if chunk and (len(chunk) == max_rows or padded > max_padded_tokens):
            yield chunk
            chunk = []
        chunk.append(index)
    if chunk:
        yield chunk


def graph_inputs(rows: Sequence[list[int]], control_ids: list[int]) -> GraphInputs:
    """The graph's inputs for rows of ids: ids, control ids, padding of 0."""
    width = max(map(len, rows)) + len(control_ids)
    input_ids, mask = array("q"), array("q")
    for row in rows:
        used = [*row, *control_ids]
        padding = [0] * (width - len(used))
        input_ids.extend(used + padding)
        mask.extend([1] * len(used) + padding)
    return GraphInputs(len(rows), width, input_ids, mask)
