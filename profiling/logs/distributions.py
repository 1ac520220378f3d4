"""Did the answers change, or is it noise? Two sets of counts, compared with the Rao-Scott test.

Texts of one request are alike, and so are requests that come after each other, so they are not so
many independent facts. What counts as one is a part: a stretch of consecutive requests. Pearson's
chi-square is divided by what the parts show of its mean and spread (Rao and Scott 1984, with
Satterthwaite's degrees of freedom), and the share of each label has an interval made likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FEWEST_EXPECTED = 5
"""Categories of which the smaller side would have fewer are tested together."""
RARE = "(rare)"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """How often each category came, in parts that are independent of each other."""

    categories: Sequence[str]
    counts: Floats
    """[parts, categories]"""
    totals: Floats
    """[parts]: texts or pieces. A text may have several labels, so that counts add up to more."""

    @property
    def total(self) -> float:
        return float(self.totals.sum())

    @property
    def shares(self) -> Floats:
        """[categories]"""
        shares: Floats = self.counts.sum(0) / self.total
        return shares

    def of(self, categories: Sequence[str]) -> Distribution:
        """The same with these categories in this order; those that it lacks never came."""
        columns = dict(zip(self.categories, self.counts.T, strict=True))
        never = np.zeros(len(self.totals))
        counts = np.column_stack([columns.get(category, never) for category in categories])
        return Distribution(categories, counts, self.totals)

    def with_rare(self, rare: NDArray[np.bool_]) -> Distribution:
        """The same with the `rare` categories in one."""
        if not rare.any():
            return self
        names = [name for name, is_rare in zip(self.categories, rare, strict=True) if not is_rare]
        counts = np.column_stack([self.counts[:, ~rare], self.counts[:, rare].sum(1)])
        return Distribution([*names, RARE], counts, self.totals)


@dataclass(frozen=True)
class ShareChange:
    """The share of one category on both sides, and the bounds of its change, all 0 to 1."""

    category: str
    a: float
    b: float
    low: float
    high: float


@dataclass(frozen=True)
class Shift:
    """What changed from one distribution to another."""

    moved: float
    """Share of B that would have to be in another category to be as A; some of it is noise."""
    chance: float
    """Of a difference as large or larger where nothing changed."""
    changes: list[ShareChange]
    """Those told from noise, the largest first."""
    missed: float
    """The largest change of a share that the intervals leave possible, 0 to 1."""


def shift_between(a: Distribution, b: Distribution, error_rate: float) -> Shift:
    """B against A; `error_rate` is that of the intervals. Each side needs two parts."""
    a, b = _same_categories(a, b)
    pooled = (a.counts.sum(0) + b.counts.sum(0)) / (a.total + b.total)
    covariance = _covariance(a, pooled) + _covariance(b, pooled)
    parts = min(len(a.totals), len(b.totals)) - 1
    distances = b.shares - a.shares
    scaled = covariance / np.sqrt(np.outer(pooled, pooled))
    expected = float(np.trace(scaled))
    chance = 1.0
    if expected:
        degrees = expected**2 / float((scaled**2).sum())
        ratio = float((distances**2 / pooled).sum()) / expected
        chance = float(stats.f.sf(ratio, degrees, degrees * parts))
    shares = max(1, len(pooled) - 1)  # of two, one is what the other leaves
    factor = float(stats.t.ppf(1 - error_rate / shares / 2, parts))
    margins = factor * np.sqrt(np.diag(covariance))
    return Shift(
        moved=float(np.maximum(distances, 0).sum()),
        chance=chance,
        changes=_changes(a, b, margins),
        missed=min(1.0, float((np.abs(distances) + margins).max())),
    )


def _same_categories(a: Distribution, b: Distribution) -> tuple[Distribution, Distribution]:
    """Both with the categories of both, without those that are too rare to be told apart."""
    came = {
        category
        for side in (a, b)
        for category, n in zip(side.categories, side.counts.sum(0), strict=True)
        if n
    }
    names = [
        category for category in dict.fromkeys([*a.categories, *b.categories]) if category in came
    ]
    a, b = a.of(names), b.of(names)
    sums = a.counts.sum(0) + b.counts.sum(0)
    expected = sums / (a.total + b.total) * min(a.total, b.total)
    rare = expected < FEWEST_EXPECTED
    return a.with_rare(rare), b.with_rare(rare)


def _covariance(side: Distribution, pooled: Floats) -> Floats:
    """Of the shares of a side, [categories, categories], if `pooled` are the true ones.

    As the parts show it, but no smaller in all than of independent texts: few of them may happen
    to be alike.
    """
    parts = len(side.totals)
    residuals = side.counts - np.outer(side.totals, side.shares)
    shown = parts / (parts - 1) * (residuals.T @ residuals) / side.total**2
    independent = (np.diag(pooled) - np.outer(pooled, pooled)) / side.total
    least, actual = (float((np.diag(of) / pooled).sum()) for of in (independent, shown))
    missing = max(0.0, 1 - actual / least) if least > 0 else 0.0
    covariance: Floats = shown + missing * independent
    return covariance


def _changes(a: Distribution, b: Distribution, margins: Floats) -> list[ShareChange]:
    changes = [
        ShareChange(category, of_a, of_b, of_b - of_a - margin, of_b - of_a + margin)
        for category, of_a, of_b, margin in zip(
            a.categories, a.shares.tolist(), b.shares.tolist(), margins.tolist(), strict=True
        )
        if abs(of_b - of_a) > margin
    ]
    return sorted(changes, key=lambda change: -abs(change.b - change.a))
