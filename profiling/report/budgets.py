"""Is it good enough? Each budget of budgets.toml against what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from tables.toml_file import Section, TomlError, read_toml

BUDGETS = Path(__file__).with_name("budgets.toml")
Fact = Literal["first_answer_ms", "warm_p50_ms", "held_rate", "errors", "memory_mb", "bundle_mb",
               "accuracy_lost", "cpu_ms_per_request"]  # fmt: skip


@dataclass(frozen=True)
class Target(Section):
    p99_ms: Annotated[float, Field(gt=0)]
    """A rate counts as held while p99 stays below it."""


@dataclass(frozen=True)
class Budget(Section):
    """A limit on one of the facts of report.json: `at_most` or `at_least`."""

    fact: Fact
    title: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def is_kept(self, value: float | None) -> bool | None:
        """None: the fact was not measured."""
        if value is None:
            return None
        if self.at_most is not None:
            return value <= self.at_most
        return self.at_least is not None and value >= self.at_least


@dataclass(frozen=True)
class Budgets(Section):
    target: Target
    budget: tuple[Budget, ...]


def read_budgets(path: Path) -> Budgets:
    """Raises TomlError naming the key that is wrong and what it takes."""
    budgets = read_toml(Budgets, path)
    for budget in budgets.budget:
        if (budget.at_most is None) == (budget.at_least is None):
            raise TomlError(f"{path}: [[budget]] {budget.fact}: give either at_most or at_least")
    return budgets


def verdicts(facts: dict[str, Any], budgets: Budgets) -> list[dict[str, Any]]:
    """Each budget with the figure `found` and whether it is `kept`; None: it was not measured."""
    return [
        {
            "fact": budget.fact,
            "title": budget.title,
            "unit": budget.unit,
            "found": facts.get(budget.fact),
            "limit": budget.at_least if budget.at_most is None else budget.at_most,
            "sense": "at least" if budget.at_most is None else "at most",
            "kept": budget.is_kept(facts.get(budget.fact)),
        }
        for budget in budgets.budget
    ]
