"""Did int8 cost too much? Compared with fp32 on validation, before a bundle is written.

Where it did, the known remedies are tried in order, each on its own, then layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from training.judge.evaluate import answers
from training.judge.metrics import answered, drop_interval, label_counts
from training.recipe import Quantize
from training.rows.table import Table

KEPT = (1, 2, 4)  # of the worst layers, left in fp32


class QuantizationError(RuntimeError):
    """int8 lost more than the recipe allows; the message names task, drop and layer."""


@dataclass(frozen=True)
class Drop:
    """Points of a task's headline that int8 lost on validation, with the 95 % interval."""

    task: str
    rows: int
    drop: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.task} {self.drop:.2f} points ({self.low:.2f} to {self.high:.2f})"


def attempts(asked: Quantize, worst_layers: list[str]) -> Iterator[Quantize]:
    """What the recipe asks for, then the remedies."""
    yield asked
    if asked.embedding_bits < 8:
        asked = replace(asked, embedding_bits=8)
        yield asked
    if asked.scheme == "dynamic":
        if not asked.per_channel:
            asked = replace(asked, per_channel=True)
            yield asked
        yield replace(asked, reduce_range=True)
        yield replace(asked, signed=not asked.signed)
        yield replace(asked, scheme="matmul_nbits")
    elif asked.block_size > 16:
        yield replace(asked, block_size=16)
        yield replace(asked, scheme="dynamic")
    for count in KEPT:
        yield replace(asked, keep=(*asked.keep, *worst_layers[:count]))


def best_attempt(
    table: Table,
    exact: Path,
    asked: Quantize,
    worst_layers: list[str],
    make: Callable[[Quantize], Path],
) -> dict[str, Any]:
    """Make int8 bundles until one keeps within `asked.max_drop`.

    `make` writes the bundle of one attempt and returns where. Returns {"settings", "drops",
    "tried"}; raises QuantizationError when no remedy is enough.
    """
    tried: list[str] = []
    for attempt in attempts(asked, worst_layers):
        drops = measured_drops(table, exact, make(attempt))
        fallen = [drop for drop in drops if drop.low > asked.max_drop]
        if not fallen:
            unsure = [drop for drop in drops if drop.high > asked.max_drop]
            return {
                "settings": asdict(attempt),
                "drops": {drop.task: asdict(drop) for drop in drops},
                "tried": tried,
                "unsure": [drop.task for drop in unsure],
            }
        tried.append(f"{_changes(attempt)}: {', '.join(map(str, fallen))}")
        print(f"quantize: past max_drop = {asked.max_drop} with {tried[-1]}", flush=True)
    raise QuantizationError(
        f"int8 loses more than max_drop = {asked.max_drop} on validation, whatever was tried:\n  "
        + "\n  ".join(tried)
        + f"\nThe layers it hurts most: {', '.join(worst_layers[:3])}. "
        "Raise [quantize] max_drop, or name more layers in [quantize] keep"
    )


def _changes(settings: Quantize) -> str:
    plain = asdict(Quantize(scheme=settings.scheme, max_drop=settings.max_drop))
    changed = {key: value for key, value in asdict(settings).items() if plain[key] != value}
    return ", ".join([settings.scheme, *(f"{key} {value}" for key, value in changed.items())])


def measured_drops(table: Table, exact: Path, int8: Path) -> list[Drop]:
    """What each task loses on validation from the bundle `exact` to `int8`."""
    rows = table.split("validation")
    before, after = answers(exact, rows), answers(int8, rows)
    drops = []
    for index, (task, labels) in enumerate(zip(table.tasks, table.labels, strict=True)):
        truth, said = answered(index, task.name, rows, before)
        if not truth:
            continue
        counts = label_counts(labels, truth, said)
        _, said = answered(index, task.name, rows, after)
        interval = drop_interval(task.kind, counts, label_counts(labels, truth, said))
        drops.append(Drop(task.name, len(truth), *(round(value, 2) for value in interval)))
    return drops
