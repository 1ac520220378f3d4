"""How far is a rare label raised? An offset to its logit, at a stated price, from validation.

A label such as `other` holds what nobody planned for: rows unlike each other, few to train with,
and later more of them, of kinds that no row shows. Its recall on validation, where those kinds are
missing, does not tell how much of it is missed. So the price is set beforehand: the points that
the accuracy of all other rows may lose. These rows are many, and say how far it goes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.recipe import TaskSpec

Floats = NDArray[np.float64]

CATCH_ALL = frozenset({
    "other", "others", "else", "anything else", "everything else", "something else", "rest",
    "none", "none of these", "none of the above", "no intent", "no match", "not applicable",
    "unknown", "undefined", "unclear", "misc", "miscellaneous", "fallback", "catch all",
    "irrelevant", "unrelated", "off topic", "out of scope", "out of domain", "oos", "ood",
})  # fmt: skip
"""Names of labels that hold whatever no other label does."""
RARE = 0.1
"""Share of the training rows up to which a label of such a name is raised unasked."""
DEFAULT_COST = 1.0
"""Points. Chance rarely makes 1.5 of them; see LOG.md."""
BEYOND = 1e-3
"""By how much a logit is raised past one that it has to pass, or kept from one it must not."""


@dataclass(frozen=True)
class Limits:
    """What raising a label has to reach, or what it may cost, or both."""

    max_cost: float | None = None
    """Points of accuracy that the rows of all other labels may lose."""
    min_recall: float | None = None
    """Share of the label's rows that are to be found; no more are sought."""

    @property
    def cost_rows(self) -> float:
        """Rows of other labels that `max_cost` needs: the next may be the one that is lost."""
        if self.max_cost is None:
            return 0
        return math.ceil(100 / self.max_cost - 1e-9) - 1 if self.max_cost else math.inf

    @property
    def recall_rows(self) -> int:
        """Rows of the label that `min_recall` needs: the next may be the one that is missed."""
        if self.min_recall is None:
            return 0
        return math.ceil(self.min_recall / (1 - self.min_recall) - 1e-9)


@dataclass(frozen=True)
class Offset:
    """What is added to a label's logit, and what that stands on."""

    value: float
    limits: Limits
    rows: int
    """Validation rows of the label."""
    rest: int
    """Validation rows of the other labels."""
    problem: str = ""
    """What the rows do not allow."""


def catch_all_labels(
    task: TaskSpec, labels: Sequence[str], train_rows: Mapping[str, int]
) -> list[str]:
    """The labels that hold whatever no other does: the recipe's, else those of a usual name.

    `train_rows`: how many training rows each label has; what is frequent needs no raising.
    """
    if task.catch_all is not None:
        return [label for label in labels if label in task.catch_all]
    most = RARE * sum(train_rows.values()) if task.kind == "single" else -1
    return [label for label in labels if is_catch_all(label) and train_rows[label] <= most]


def label_limits(
    task: TaskSpec, labels: Sequence[str], catch_all: Sequence[str]
) -> dict[str, Limits]:
    """The limits of each label that is raised. Labels `catch_all` for which the recipe sets none
    share DEFAULT_COST."""
    recalls, costs = task.min_recall or {}, task.max_cost or {}
    by_default = [label for label in catch_all if label not in recalls and label not in costs]
    return {
        label: Limits(DEFAULT_COST / len(by_default))
        if label in by_default
        else Limits(costs.get(label), recalls.get(label))
        for label in labels
        if label in by_default or label in recalls or label in costs
    }


def is_catch_all(label: str) -> bool:
    return re.sub(r"[\W_]+", " ", label.casefold()).strip() in CATCH_ALL


def fit_offsets(
    logits: Floats,
    targets: Floats,
    labels: Sequence[str],
    limits: Mapping[str, Limits],
    before: Floats | None = None,
) -> dict[str, Offset]:
    """The offset of each label with limits; `logits`, `targets` [rows, labels] of one task.

    A cost is counted from `before`, the logits that a label's row of the head gave before it was
    fitted anew; only such a label's offset can be negative.
    """
    raised, offsets = logits.copy(), {}
    before = logits if before is None else before
    for label, label_limits in limits.items():
        column = labels.index(label)
        rest = targets[:, column] == 0
        others = np.delete(raised, column, axis=1)
        is_right = (np.delete(targets, column, axis=1) * (others == others.max(1)[:, None])).any(1)
        margins = raised[:, column] - others.max(1)
        lost = int((is_right & (before[:, column] > others.max(1))).sum())
        value, problem = _value(label_limits, margins[~rest], margins[is_right], rest.sum(), lost)
        if np.array_equal(before[:, column], logits[:, column]):
            value = max(value, 0.0)
        offsets[label] = Offset(
            round(value, 4), label_limits, int((~rest).sum()), int(rest.sum()), problem
        )
        raised[:, column] += offsets[label].value
    return offsets


def _value(
    limits: Limits, margins: Floats, answered: Floats, rest: int, lost: int
) -> tuple[float, str]:
    """The offset, and what is wrong with it.

    `margins`: how far the label is ahead of the best other one, of its own rows; `answered`: the
    same of those of `rest` other rows that are right as long as they do not get the label, which
    `lost` of them do by now.
    """
    problems, value = [], math.inf
    if limits.max_cost is not None:
        allowed = math.floor(limits.max_cost / 100 * (rest + 1) + 1e-9)
        value = -_nth_highest(answered, lost + allowed) - BEYOND if allowed else 0.0
        if limits.max_cost and rest < limits.cost_rows:
            problems.append(
                f"{rest} validation rows of other labels are too few to keep a price of "
                f"{limits.max_cost:g} points; {limits.cost_rows} would do"
            )
    if limits.min_recall is not None:
        rank = math.ceil(limits.min_recall * (len(margins) + 1) - 1e-9)
        needed = -_nth_highest(margins, rank) + BEYOND if len(margins) else 0.0
        if len(margins) < limits.recall_rows:
            problems.append(
                f"{len(margins)} validation rows are too few to tell a recall of "
                f"{limits.min_recall:g}; {limits.recall_rows} would do"
            )
        if needed > value:
            problems.append(f"a recall of {limits.min_recall:g} costs more than max_cost")
        value = min(value, needed)
    return value, "; ".join(problems)


def _nth_highest(values: Floats, rank: int) -> float:
    """The value of this rank, from 1; the lowest where there are fewer, 0 where there is none."""
    return float(np.sort(values)[::-1][:rank][-1]) if len(values) else 0.0
