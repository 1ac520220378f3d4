"""What is known of one bundle? Its shape, and what it costs and gains."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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
    """Mean over the tasks of accuracy or micro-F1, percent, on validation: what is chosen by."""
    test: float
    """The same on the test split, for the reader; nothing is chosen by it."""
    validation_tasks: dict[str, float | None]
    test_tasks: dict[str, float | None]
    latency_ms: float = float("nan")
    """Median of one short text, with the first of `[sweep] threads`."""
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    """{threads: {median_ms, p95_ms, full_length_ms}}."""

    @property
    def path(self) -> Path:
        return Path(self.bundle)


@dataclass(frozen=True)
class Limits:
    """What the user can afford, or wants at least; None: no limit."""

    max_latency_ms: float | None = None
    max_mb: float | None = None
    min_accuracy: float | None = None

    @property
    def given(self) -> dict[str, float]:
        pairs: dict[str, Any] = {
            "max_latency_ms": self.max_latency_ms,
            "max_mb": self.max_mb,
            "min_accuracy": self.min_accuracy,
        }
        return {key: value for key, value in pairs.items() if value is not None}
