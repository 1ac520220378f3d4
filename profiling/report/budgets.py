"""Is it good enough? Each budget of budgets.toml against what was measured."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUDGETS = Path(__file__).with_name("budgets.toml")
FACTS = ("first_answer_ms", "warm_p50_ms", "held_rate", "errors", "memory_mb", "bundle_mb",
         "accuracy_lost", "cpu_ms_per_request")  # fmt: skip


class BudgetError(ValueError):
    """The file of budgets cannot be used; the message names the key."""


@dataclass(frozen=True)
class Budget:
    fact: str
    title: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None


@dataclass(frozen=True)
class Budgets:
    p99_ms: float
    budgets: tuple[Budget, ...]


def read_budgets(path: Path) -> Budgets:
    """Raises BudgetError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        budgets = tuple(Budget(**entry) for entry in table["budget"])
        target = float(table["target"]["p99_ms"])
    except OSError as error:
        raise BudgetError(f"{path}: {error.strerror}; give a .toml file") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise BudgetError(f"{path}: {error}; see {BUDGETS} for what is wanted") from None
    for budget in budgets:
        if budget.fact not in FACTS:
            known = ", ".join(FACTS)
            raise BudgetError(f"{path}: fact {budget.fact!r}; give one of {known}")
        if (budget.at_most is None) == (budget.at_least is None):
            raise BudgetError(f"{path}: {budget.fact}: give either at_most or at_least")
    return Budgets(target, budgets)


def verdicts(facts: dict[str, Any], budgets: Budgets) -> list[dict[str, Any]]:
    """Each budget with the figure found and whether it is `kept`; None: it was not measured."""
    return [
        {
            "fact": budget.fact,
            "title": budget.title,
            "unit": budget.unit,
            "found": facts.get(budget.fact),
            "limit": budget.at_least if budget.at_most is None else budget.at_most,
            "sense": "at least" if budget.at_most is None else "at most",
            "kept": _kept(facts.get(budget.fact), budget),
        }
        for budget in budgets.budgets
    ]


def _kept(found: float | None, budget: Budget) -> bool | None:
    if found is None:
        return None
    if budget.at_most is not None:
        return found <= budget.at_most
    return budget.at_least is not None and found >= budget.at_least
