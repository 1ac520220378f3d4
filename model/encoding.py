"""Texts to rows of ids, and rows to the graph's two inputs. Standard library only."""

from __future__ import annotations

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

REPLACEMENT = "\ufffd"


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
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
