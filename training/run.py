"""What does every stage stand on? The recipe, its table, and where the stages' files are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from model.bundle import TOKENIZER
from model.heads import Heads
from training.fit import batches
from training.fit.base import resolve_base
from training.judge.linear import LinearModel, fit_linear
from training.recipe import Recipe
from training.rows.table import Row, Table, read_table


@dataclass(eq=False)
class Run:
    """One recipe on its way to the bundle in `target`."""

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
    def linear(self) -> LinearModel:
        """Teaches beside the teacher, and is the baseline: fitted once for both."""
        return fit_linear(self.table)

    @cached_property
    def base(self) -> Path:
        return resolve_base(self.recipe.base)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self.work / "vocabulary" / TOKENIZER))

    @property
    def encoder(self) -> tuple[Path, list[int]]:
        """Where the teacher starts: a transformers directory, and its id of each of our pieces."""
        facts = self.facts("vocabulary")
        if self.recipe.pretrain is None:
            return self.base, facts["base_ids"]
        return self.work / "pretrain", list(range(facts["pieces"]))

    @property
    def max_tokens(self) -> int:
        return int(self.facts("vocabulary")["max_tokens"])

    def facts(self, stage: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.work / stage / "facts.json").read_text())
        return facts

    def examples(self, rows: list[Row], teacher_logits: Any = None) -> list[batches.Example]:
        ids = self.encode([row.text for row in rows])
        return batches.examples(ids, batches.targets(self.table, rows), teacher_logits)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return batches.encode(self.tokenizer, texts, self.max_tokens)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(task.kind for task in self.recipe.tasks)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(map(len, self.table.labels))
