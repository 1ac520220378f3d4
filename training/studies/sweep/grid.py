"""Which students are worth a try? Every depth and width, and the recipe's own at other limits.

Depths and widths are crossed. Vocabulary sizes and sequence limits vary one at a time, from the
recipe's own student: a vocabulary needs a teacher of its own, a limit no training at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from training.base import fits_width
from training.fit.schedule import student_layers
from training.recipe import Recipe


@dataclass(frozen=True)
class Bounds:
    """What the recipe's own vocabulary stage and base allow."""

    base: dict[str, Any]
    """The base's config.json."""
    pieces: int
    max_tokens: int
    rows: int
    """That train."""


@dataclass(frozen=True)
class Candidate:
    """One student to train, and the sequence limits to serve it at."""

    recipe: Recipe
    layers: int
    width: int
    limits: tuple[int, ...] = ()
    """Beside the one that it is trained with."""

    @property
    def name(self) -> str:
        pieces = self.recipe.vocabulary.pieces
        return f"{self.layers}x{self.width}" + (f"-{pieces}" if pieces else "")


def candidates(recipe: Recipe, bounds: Bounds) -> tuple[list[Candidate], list[str]]:
    """The students in the order of training, and a sentence on each entry that is left out.

    The recipe's own comes first, then the cheap ones; those that need another teacher come last.
    """
    base, left_out = bounds.base, list[str]()
    most_layers = base["num_hidden_layers"]
    own_layers = student_layers(recipe.student, bounds.rows, most_layers)
    own_width = recipe.student.width or base["hidden_size"]

    def usable(key: str, is_usable: Callable[[int], bool], reason: str) -> list[int]:
        """The entries of `[sweep] key` that can be had; the others are noted."""
        entries: tuple[int, ...] = getattr(recipe.sweep, key)
        if others := [str(entry) for entry in entries if not is_usable(entry)]:
            left_out.append(f"[sweep] {key}: {', '.join(others)} left out, {reason}")
        return list(filter(is_usable, entries))

    depths = usable("layers", lambda n: n <= most_layers, f"the base has {most_layers}")
    widths = usable(
        "widths",
        lambda n: fits_width(base, n),
        f"the base's attention heads do not divide {own_width} so",
    )
    limits = usable(
        "max_tokens", lambda n: n < bounds.max_tokens, f"the recipe's is {bounds.max_tokens}"
    )
    sizes = usable("pieces", lambda n: n < bounds.pieces, f"the recipe's text uses {bounds.pieces}")
    recipe_student = Candidate(recipe, own_layers, own_width, tuple(limits))
    shapes = sorted(set(product(depths, widths)) - {(own_layers, own_width)})
    cheap_first = sorted(shapes, key=lambda shape: shape[0] * shape[1] ** 2)
    others = [Candidate(_shaped(recipe, *shape), *shape) for shape in cheap_first]
    smaller = [Candidate(_with_pieces(recipe, n), own_layers, own_width) for n in sizes]
    return [recipe_student, *others, *smaller], left_out


def _shaped(recipe: Recipe, layers: int, width: int) -> Recipe:
    return replace(recipe, student=replace(recipe.student, layers=layers, width=width))


def _with_pieces(recipe: Recipe, pieces: int) -> Recipe:
    return replace(recipe, vocabulary=replace(recipe.vocabulary, pieces=pieces))
