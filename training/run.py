"""What does every stage stand on? The recipe, its table, and where the stages' files are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from model.encoding import encode
from model.heads import Heads
from training.base import resolve_base
from training.recipe import Recipe
from training.rows.table import Table, read_table

FACTS = "facts.json"
"""What a stage leaves for later ones beside its files, in its folder."""


class RunError(RuntimeError):
    """A run ends without its result; the message says why and what to do."""


@dataclass(eq=False)
class Run:
    """One recipe on its way to the bundle in `target`. Its table and base are read once."""

    recipe: Recipe
    target: Path

    def __post_init__(self) -> None:
        self.target = self.target.resolve()

    @property
    def work(self) -> Path:
        """`DIR.work`: each stage has a folder of its own in it."""
        return self.target.with_name(f"{self.target.name}.work")

    @property
    def report(self) -> Path:
        """`DIR.report`: what people and programs read about the run."""
        return self.target.with_name(f"{self.target.name}.report")

    @cached_property
    def table(self) -> Table:
        return read_table(self.recipe)

    @property
    def heads(self) -> Heads:
        return self.table.heads

    @cached_property
    def base(self) -> Path:
        return resolve_base(self.recipe.base)

    def facts(self, stage: str) -> dict[str, Any]:
        """What `stage` wrote into its FACTS."""
        facts: dict[str, Any] = json.loads((self.work / stage / FACTS).read_text())
        return facts

    @property
    def tokenizer_path(self) -> Path:
        """The stage `vocabulary` writes it. No code of bundles: a change there retrains nothing."""
        return self.work / "vocabulary" / "tokenizer.json"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Of the stage `vocabulary`, as the two that follow."""
        return Tokenizer.from_file(str(self.tokenizer_path))

    @cached_property
    def max_tokens(self) -> int:
        """Longest `[CLS] text [SEP]`."""
        return int(self.facts("vocabulary")["max_tokens"])

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of `[CLS] text [SEP]` of each text, cut to `max_tokens` as the recipe says."""
        return encode(self.tokenizer, texts, self.max_tokens, self.recipe.data.long_texts).ids

    @cached_property
    def read_per_text(self) -> float:
        """Tokens that are read of a training text, on average."""
        rows = self.encode([row.text for row in self.table.split("train")])
        return sum(map(len, rows)) / max(1, len(rows))

    @property
    def encoder(self) -> tuple[Path, list[int]]:
        """Where the teacher starts: a transformers directory, and its id of each of our pieces."""
        facts = self.facts("vocabulary")
        if self.recipe.pretrain is None:
            return self.base, facts["base_ids"]
        return self.work / "pretrain", list(range(facts["pieces"]))
