"""Which bundles are worth having? Those that nothing beats, and of them the one that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from training.run import RunError
from training.studies.study import Headlines


@dataclass(frozen=True)
class Point:
    """One bundle of the sweep, measured through the classifier that serves it."""

    name: str
    network: str
    """`teacher` or `student`."""
    precision: str
    layers: int
    width: int
    pieces: int
    max_tokens: int
    bundle: str
    """Its directory."""
    mb: float
    """All its files, in 10^6 bytes."""
    accuracy: float
    """Mean of the headlines on validation: what is chosen by."""
    test: float
    """The same on the test split, for the reader; nothing is chosen by it."""
    validation_tasks: Headlines
    test_tasks: Headlines
    latency_ms: float = float("nan")
    """Median of one short text, with the first of `[sweep] threads`."""
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    """{threads: {median_ms, p95_ms, full_length_ms}}."""
    warnings: list[str] = field(default_factory=list)
    """What validation was too small to tell about int8."""

    @property
    def path(self) -> Path:
        return Path(self.bundle)

    @property
    def rounded_accuracy(self) -> float:
        """As far as it means anything: a few rows of validation are no difference."""
        return round(self.accuracy, 1)


@dataclass(frozen=True)
class BundleLimits:
    """What the user can afford, or wants at least; None: no limit."""

    max_latency_ms: float | None = None
    max_mb: float | None = None
    min_accuracy: float | None = None

    @property
    def active(self) -> dict[str, float]:
        return {key: value for key, value in asdict(self).items() if value is not None}

    def allow(self, point: Point) -> bool:
        return (
            (self.max_latency_ms is None or point.latency_ms <= self.max_latency_ms)
            and (self.max_mb is None or point.mb <= self.max_mb)
            and (self.min_accuracy is None or point.accuracy >= self.min_accuracy)
        )


Cost = Callable[[Point], float]
COSTS: dict[str, Cost] = {"latency": lambda point: point.latency_ms, "size": lambda point: point.mb}


class NothingFitsError(RunError):
    """No point is within the limits; the message says what the nearest ones have."""


def front(points: Sequence[Point], cost: Cost) -> list[Point]:
    """The points that no other equals in accuracy without costing more; cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (cost(point), -point.rounded_accuracy)):
        if not best or point.rounded_accuracy > best[-1].rounded_accuracy:
            best.append(point)
    return best


def fronts(points: Sequence[Point]) -> dict[str, list[Point]]:
    """{latency, size: its front}."""
    return {name: front(points, cost) for name, cost in COSTS.items()}


def pick(points: Sequence[Point], limits: BundleLimits) -> Point:
    """The best point within the limits. Raises NothingFitsError.

    Best is by the first of accuracy, latency and size that has no limit: within a latency the
    most accurate, above an accuracy the fastest. With all three limited, the most accurate.
    """
    fitting = list(filter(limits.allow, points))
    if not fitting:
        raise NothingFitsError(_nearest(points, limits))

    def order(point: Point) -> list[float]:
        quantities = [
            (limits.min_accuracy, -point.rounded_accuracy),
            (limits.max_latency_ms, point.latency_ms),
            (limits.max_mb, point.mb),
        ]
        quantities.sort(key=lambda pair: pair[0] is not None)  # stable: those without limit first
        return [value for _, value in quantities]

    return min(fitting, key=order)


def _nearest(points: Sequence[Point], limits: BundleLimits) -> str:
    active = ", ".join(f"{key} {value:g}" for key, value in limits.active.items())
    fastest, smallest = (_described(min(points, key=cost)) for cost in COSTS.values())
    most_accurate = _described(max(points, key=lambda point: point.accuracy))
    return (
        f"nothing measured is within {active}: the fastest is {fastest}; the smallest {smallest}; "
        f"the most accurate {most_accurate}. Loosen a limit, or add to [sweep] in the recipe"
    )


def _described(point: Point) -> str:
    return f"{point.name} ({point.accuracy:.1f} %, {point.latency_ms:.2f} ms, {point.mb:.1f} MB)"
