"""How far may a figure from few rows be off? Its 95 % interval; how many rows would tell more.

Rows of one family are right or wrong together, so they are not so many independent facts: families
are what varies, wherever the splits are made of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Z = 1.96
"""Half of a 95 % interval, in standard errors."""
MANY_GROUPS = 30
"""So many tell their spread themselves."""
CLAIM = 3.0
"""Points: what a headline should be known to, either way."""
PSEUDO_ROWS = 2
"""One row lost and one gained, so that few rows without a change do not pass for certainty."""
PSEUDO_VARIANCE = (3 / Z) ** 2
"""Of what they lose: 95 % of their draws, which are Poisson's, are of at most 3 rows either way."""

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def group_sums(terms: Floats, groups: Places) -> Floats:
    """[groups, columns]: the sums of terms [rows, columns] over the rows of each group."""
    sums = np.zeros((int(groups.max(initial=-1)) + 1, terms.shape[1]))
    np.add.at(sums, groups, terms)
    return sums


def ratio_bounds(terms: Floats, groups: Places) -> tuple[float, float]:
    """The bounds, in percent, of the ratio of the sums of terms [rows, 2].

    Wilson's interval (1927) of as many independent rows as have the spread that the groups show:
    all of them if rows of a group are no more alike than others. If all are right, or all wrong,
    the groups are what is counted. One group is one row.
    """
    counted = terms[:, 1] > 0
    rows = int(counted.sum())
    top, bottom = terms.sum(0)
    share = top / bottom
    size = float(len(np.unique(groups[counted])))
    if 0 < share < 1 and size > 1:
        sums = group_sums(terms, groups)
        errors = (sums[:, 0] - share * sums[:, 1]) / bottom
        wider = few_groups(size) if size < rows else 1.0  # Wilson's is that of few rows already
        variance = float((errors**2).sum()) * size / (size - 1) * wider**2
        size = min(rows, share * (1 - share) / variance) if variance else rows
    low, high = wilson(share, size)
    return round(100 * low, 2), round(100 * high, 2)


def few_groups(groups: float) -> float:
    """How much wider an interval is whose spread so many groups, at least 2, have shown.

    Student's t beside the normal distribution: 6.5 times of two groups, 1.15 times of ten.
    """
    if groups >= MANY_GROUPS:
        return 1.0
    return float(stdtrit(groups - 1, 0.975)) / Z


def wilson(share: float, rows: float) -> tuple[float, float]:
    """The bounds of a share that was measured on so many independent rows."""
    spread = Z * math.sqrt(share * (1 - share) / rows + (Z / (2 * rows)) ** 2)
    centre, weight = share + Z**2 / (2 * rows), 1 + Z**2 / rows
    return max(0.0, (centre - spread) / weight), min(1.0, (centre + spread) / weight)


def rows_to_claim(rows: float, bounds: Sequence[float]) -> float | None:
    """How many rows would tell a headline to within CLAIM, where so many have these bounds.

    None: these do.
    """
    half_width = (bounds[1] - bounds[0]) / 2
    return rows * (half_width / CLAIM) ** 2 if half_width > CLAIM else None


def rows_to_tell_drop(rows: int, half_width: float, margin: float) -> float:
    """How many rows have a drop's interval of +- `margin` points, where so many have `half_width`.

    PSEUDO_ROWS are in both.
    """
    scale = (100 * Z) ** 2
    of_a_row = max(half_width**2 * (rows + PSEUDO_ROWS) ** 2 / scale - PSEUDO_VARIANCE, 0) / rows
    linear = scale * of_a_row
    constant = 4 * margin**2 * scale * PSEUDO_VARIANCE
    return (linear + math.sqrt(linear**2 + constant)) / (2 * margin**2)


def interval_text(bounds: Sequence[float] | None) -> str:
    """ "[90.1, 92.3]", in percent; nothing where the interval is unknown."""
    return "" if bounds is None else f"[{bounds[0]:.1f}, {bounds[1]:.1f}]"


def about(rows: float) -> str:
    """A number of rows, up to two digits that count: 1234.5 is "1,300"."""
    unit = 10 ** max(0, math.floor(math.log10(max(rows, 1))) - 1)
    return f"{math.ceil(rows / unit) * unit:,}"
