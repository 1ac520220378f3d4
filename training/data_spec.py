"""Where do the rows come from, and how much of a text is read? The recipe's section [data]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import Field

from tables.toml_file import Section, TableFile

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
LongTexts = Literal["head", "tail", "head_tail"]
"""As model/manifest.py declares them."""
Tokens = Annotated[int, Field(ge=8)]


@dataclass(frozen=True)
class DataFile(Section):
    path: TableFile
    split: Split | None = None
    """The split of every row of this file; None: the split column names it, or it is carved."""
    corrects: bool = False
    """Its labels replace those of the same texts in the other files."""


@dataclass(frozen=True)
class Data(Section):
    files: Annotated[tuple[DataFile, ...], Field(min_length=1)]
    text: str = "text"
    split: str = "split"
    group: str | None = None
    """Column of the rows that belong together; absent: texts with the same letters do."""
    slice: str | None = None
    """Column that names a part of the test split to report by itself."""
    seed: int = 1
    max_tokens: Tokens | None = None
    """Longest `[CLS] text [SEP]`; absent: what holds 99.5 % of the training texts, 32 to 256."""
    long_texts: LongTexts = "head_tail"
    """What is read of a text of more: its first tokens, its last, or half of both."""
