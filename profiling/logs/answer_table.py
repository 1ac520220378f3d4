"""The counted answers of many requests in little memory: 12 bytes for each count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiling.logs.answer_fields import Cell

COUNT = {"request": "I", "cell": "I", "count": "I"}
"""Columns of a count, and their types as `struct` and numpy name them."""
PACK_COUNT = Struct("<" + "".join(COUNT.values())).pack
MOST_CELLS = 100_000
"""Counts of what comes after so many different cells are left out."""


@dataclass(frozen=True)
class AnswerColumns:
    """All counts of a log."""

    counts: NDArray[Any]
    """A row for each, as COUNT declares it; `request` is its row among the requests."""
    cells: Sequence[Cell]
    """By number."""


class AnswerTable:
    """The counts that were added."""

    def __init__(self) -> None:
        self._numbers: dict[Cell, int] = {}
        self._counts = bytearray()

    def add(self, request: int, answers: Mapping[Cell, int]) -> None:
        """Add the counts of a request, by its row."""
        for cell, n in answers.items():
            if cell not in self._numbers and len(self._numbers) < MOST_CELLS:
                self._numbers[cell] = len(self._numbers)
            if (number := self._numbers.get(cell)) is not None:
                self._counts += PACK_COUNT(request, number, n)

    def columns(self) -> AnswerColumns:
        """All of them; none can be added any more."""
        types = np.dtype([(name, f"<{kind}") for name, kind in COUNT.items()])
        return AnswerColumns(np.frombuffer(self._counts, types), list(self._numbers))
