"""Texts to rows of ids, and rows to the graph's two inputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Encoded:
    """Texts as the graph's rows, before control ids and padding."""

    ids: list[list[int]]
    """`[CLS] text [SEP]` of each text, cut to the bundle's `max_tokens`."""
    truncated: list[int]
    """Ascending indices of the texts that were cut."""


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> Encoded:
    """Ids of each text. A text that is too long keeps its beginning and the final [SEP]."""
    encodings = tokenizer.encode_batch_fast([printable(text) for text in texts])
    ids = [encoding.ids for encoding in encodings]
    truncated = [index for index, row in enumerate(ids) if len(row) > max_tokens]
    for index in truncated:
        ids[index] = ids[index][: max_tokens - 1] + ids[index][-1:]
    return Encoded(ids, truncated)


def printable(text: str) -> str:
    """The text with U+FFFD for every lone surrogate.

    JSON can spell half of a surrogate pair; no UTF-8 text can hold it, so tokenizers refuses it.
    """
    return text if text.isascii() else SURROGATE.sub(REPLACEMENT, text)


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


def graph_inputs(rows: Sequence[list[int]], control_ids: list[int]) -> dict[str, NDArray[np.int64]]:
    """`input_ids` and `attention_mask`, int64 [rows, tokens]: ids, control ids, padding of 0."""
    width = max(map(len, rows)) + len(control_ids)
    input_ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for index, row in enumerate(rows):
        length = len(row) + len(control_ids)
        input_ids[index, :length] = row + control_ids
        mask[index, :length] = 1
    return {"input_ids": input_ids, "attention_mask": mask}
