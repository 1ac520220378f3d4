"""Which points are worth having? Those that nothing beats, and of them the one that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from training.studies.sweep.points import Limits, Point

Cost = Callable[[Point], float]

COSTS: dict[str, Cost] = {"latency": lambda point: point.latency_ms, "size": lambda point: point.mb}


class NothingFitsError(RuntimeError):
    """No point is within the limits; the message says what the nearest ones have."""


def front(points: Sequence[Point], cost: Cost) -> list[Point]:
    """The points that no other equals in accuracy without costing more; cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (cost(point), -_accuracy(point))):
        if not best or _accuracy(point) > _accuracy(best[-1]):
            best.append(point)
    return best


def _accuracy(point: Point) -> float:
    """As far as it means anything: a few rows of validation are no difference."""
    return round(point.accuracy, 1)


def fronts(points: Sequence[Point]) -> dict[str, list[Point]]:
    """{latency, size: its front}."""
    return {name: front(points, cost) for name, cost in COSTS.items()}


def pick(points: Sequence[Point], limits: Limits) -> Point:
    """The best point within the limits. Raises NothingFitsError.

    Best is by the first of accuracy, latency and size that has no limit: within a latency the
    most accurate, above an accuracy the fastest. With all three limited, the most accurate.
    """
    fitting = [point for point in points if _fits(point, limits)]
    if not fitting:
        raise NothingFitsError(_nearest(points, limits))
    return min(fitting, key=lambda point: _order(point, limits))


def _fits(point: Point, limits: Limits) -> bool:
    return (
        (limits.max_latency_ms is None or point.latency_ms <= limits.max_latency_ms)
        and (limits.max_mb is None or point.mb <= limits.max_mb)
        and (limits.min_accuracy is None or point.accuracy >= limits.min_accuracy)
    )


def _order(point: Point, limits: Limits) -> tuple[float, ...]:
    """What is to be least, the free quantities before the limited ones."""
    quantities = [
        (limits.min_accuracy, -_accuracy(point)),
        (limits.max_latency_ms, point.latency_ms),
        (limits.max_mb, point.mb),
    ]
    quantities.sort(key=lambda pair: pair[0] is not None)  # stable
    return tuple(value for _, value in quantities)


def _nearest(points: Sequence[Point], limits: Limits) -> str:
    asked = ", ".join(f"{key} {value:g}" for key, value in limits.given.items())
    fast, small, right = (
        min(points, key=key)
        for key in (COSTS["latency"], COSTS["size"], lambda point: -point.accuracy)
    )
    return (
        f"nothing measured is within {asked}: the fastest is {_described(fast)}; the smallest "
        f"{_described(small)}; the most accurate {_described(right)}. Loosen a limit, or add to "
        "[sweep] in the recipe"
    )


def _described(point: Point) -> str:
    return f"{point.name} ({point.accuracy:.1f} %, {point.latency_ms:.2f} ms, {point.mb:.1f} MB)"
