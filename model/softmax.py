"""Logits to probabilities: all heads and all texts in one pass.

Both forms are made of one exponential that is never of a positive number, so nothing overflows.
With z = (logit - the head's maximum) / temperature, softmax is exp(z) over the head's sum.
With z = logit / temperature, sigmoid is 1 / (1 + exp(-z)) where z is positive and
exp(z) / (1 + exp(z)) where not; exp(-|z|) stands for both exponentials.
"""

from __future__ import annotations

from math import exp

from model.heads import Heads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from model.bundle import Task


class Softmax:
    """Softmax of `single` heads and sigmoid of `multi` heads, each with its own temperature."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tuple(tasks)
        self._heads = Heads(tasks)
        self._vectorized: _Vectorized | None = None

    def __call__(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """float32 [texts, labels] to float64 probabilities of the same shape.

        Finite for finite logits. Dividing after the maximum is taken away keeps even a tiny
        temperature harmless: it can only reach minus infinity, whose exponential is 0.
        """
        if self._vectorized is None:
            self._vectorized = _Vectorized(self._tasks, self._heads)
        return self._vectorized(logits)

    def of_text(self, logits: Sequence[float]) -> list[float]:
        """The same of the logits of one text, without numpy: a first answer need not import it."""
        probabilities: list[float] = []
        for task, head in zip(self._tasks, self._heads, strict=True):
            of_head = _sigmoids if head.kind == "multi" else _softmax
            probabilities += of_head(logits[head.columns], task.temperature)
        return probabilities


def _softmax(logits: Sequence[float], temperature: float) -> list[float]:
    top = max(logits)
    powers = [exp((logit - top) / temperature) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def _sigmoids(logits: Sequence[float], temperature: float) -> list[float]:
    powers = [exp(-abs(logit / temperature)) for logit in logits]
    return [
        (1.0 if logit >= 0 else power) / (1.0 + power)
        for logit, power in zip(logits, powers, strict=True)
    ]


class _Vectorized:
    """The form for lists: no loop over heads or texts."""

    def __init__(self, tasks: Sequence[Task], heads: Heads) -> None:
        import numpy as np

        self._head = np.repeat(np.arange(len(heads)), heads.sizes)
        self._starts = np.array([head.columns.start for head in heads], np.intp)
        self._temperature = np.repeat([task.temperature for task in tasks], heads.sizes)
        self._multi = np.repeat([head.kind == "multi" for head in heads], heads.sizes)

    def __call__(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        import numpy as np

        wide = logits.astype(np.float64)
        top = np.maximum.reduceat(wide, self._starts, axis=1)[:, self._head]
        with np.errstate(over="ignore", under="ignore"):
            z = (wide - np.where(self._multi, 0.0, top)) / self._temperature
            power = np.exp(-np.abs(z))
        total = np.add.reduceat(power, self._starts, axis=1)[:, self._head]
        above = np.where(self._multi & (z >= 0), 1.0, power)
        probabilities: NDArray[np.float64] = above / np.where(self._multi, 1.0 + power, total)
        return probabilities
