"""Which students are worth a try? Every depth and width, and the recipe's own at other limits.

Depths and widths are crossed. Vocabulary sizes and sequence limits vary one at a time, from the
recipe's own student: a vocabulary needs a teacher of its own, a limit no training at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from training.fit.base import fits_width
from training.recipe import Recipe


@dataclass(frozen=True)
class Ground:
    """What the recipe's own vocabulary stage and base allow."""

    base: dict[str, Any]
    """The base's config.json."""
    pieces: int
    max_tokens: int


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

    @property
    def cost(self) -> int:
        return self.layers * self.width**2


def candidates(recipe: Recipe, ground: Ground) -> tuple[list[Candidate], list[str]]:
    """The students in the order of training, and a sentence on each entry that is left out.

    The recipe's own comes first, then the cheap ones; those that need another teacher come last.
    """
    grid, base = recipe.sweep, ground.base
    layers, width = recipe.student.layers, recipe.student.width or base["hidden_size"]
    depths = [n for n in grid.layers if n <= base["num_hidden_layers"]]
    widths = [n for n in grid.widths if fits_width(base, n)]
    limits = tuple(n for n in grid.max_tokens if n < ground.max_tokens)
    sizes = [n for n in grid.pieces if n < ground.pieces]
    own = Candidate(recipe, layers, width, limits)
    shapes = sorted(set(product(depths, widths)) - {(layers, width)})
    others = [Candidate(_shaped(recipe, *shape), *shape) for shape in shapes]
    smaller = [Candidate(_with_pieces(recipe, n), layers, width) for n in sizes]
    left_out = [
        *_left_out("layers", grid.layers, depths, f"the base has {base['num_hidden_layers']}"),
        *_left_out("widths", grid.widths, widths, f"the base's heads do not divide {width} so"),
        *_left_out("max_tokens", grid.max_tokens, limits, f"the recipe's is {ground.max_tokens}"),
        *_left_out("pieces", grid.pieces, sizes, f"the recipe's text uses {ground.pieces}"),
    ]
    return [own, *sorted(others, key=lambda candidate: candidate.cost), *smaller], left_out


def _shaped(recipe: Recipe, layers: int, width: int) -> Recipe:
    return replace(recipe, student=replace(recipe.student, layers=layers, width=width))


def _with_pieces(recipe: Recipe, pieces: int) -> Recipe:
    return replace(recipe, vocabulary=replace(recipe.vocabulary, pieces=pieces))


def _left_out(key: str, asked: tuple[int, ...], kept: Any, why: str) -> list[str]:
    entries = [entry for entry in asked if entry not in kept]
    return [f"[sweep] {key}: {', '.join(map(str, entries))} left out, {why}"] if entries else []
