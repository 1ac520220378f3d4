"""How fast is a network fitted, against what the cores can do? Tokens a second, and their share.

The work of a token is counted by torch on a real batch, forward and backward. What the cores can
do is measured then and there: the product of a batch's hidden states with a feed-forward matrix,
in the precision that the fit uses.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from model.aside import read_json
from training.fit.network import ControlTokenClassifier
from training.fit.objective import Batch

SPEED = "speed.json"
"""What `measure` returns, beside the network's weights."""
MEASURED_S = 0.5


@dataclass
class Tally:
    """What a fit has read so far."""

    tokens: int = 0
    places: int = 0
    """Tokens and padding."""
    widest: Batch = field(default_factory=dict)
    """The batch of most places: the work is counted on it."""

    def add(self, batch: Batch) -> None:
        mask = batch["attention_mask"]
        self.tokens += int(mask.sum())
        self.places += mask.numel()
        if not self.widest or mask.numel() > self.widest["attention_mask"].numel():
            self.widest = batch


def measure(
    network: ControlTokenClassifier, tally: Tally, seconds: float, bf16: bool
) -> dict[str, float]:
    """The speed of a fit that took `seconds` for what `tally` holds.

    "tokens_per_s" is of a whole fit, evaluation and checkpoints too; "padding" a share of the
    places; "used" of the floating-point operations that the cores reach in a matrix product.
    """
    width = network.shape.encoder["hidden_size"]
    inner = network.shape.encoder["intermediate_size"]
    rows = tally.widest["attention_mask"].numel()
    used = _operations(network, tally.widest) * tally.places / rows / seconds
    return {
        "tokens_per_s": round(tally.tokens / seconds, 1),
        "padding": round(1 - tally.tokens / tally.places, 4),
        "used": round(used / product_speed(rows, width, inner, bf16), 4),
        "threads": torch.get_num_threads(),
    }


def speeds(work: Path) -> dict[str, Any]:
    """{stage: what `measure` returned} of the networks that were fitted in `work`."""
    return {p.parent.name: read_json(p) for p in sorted(work.glob(f"*/{SPEED}"), reverse=True)}


def speed_lines(work: Path) -> list[str]:
    """A line for each network that was fitted in `work`."""
    return [
        f"{name}: {speed['tokens_per_s']:,.0f} tokens a second, {100 * speed['padding']:.0f} % "
        f"padding beside them; {100 * speed['used']:.0f} % of the operations that "
        f"{speed['threads']} thread{'s' * (speed['threads'] > 1)} reached in one matrix product"
        for name, speed in speeds(work).items()
    ]


def _operations(network: ControlTokenClassifier, batch: Batch) -> float:
    """Floating-point operations of a step on `batch`."""
    counter: Any = FlopCounterMode(display=False)
    unhooked = copy.deepcopy(network)  # torchrun's hooks stay with the original
    with counter:
        unhooked(batch["input_ids"], batch["attention_mask"]).sum().backward()
    return float(counter.get_total_flops())


def product_speed(rows: int, width: int, inner: int, bf16: bool) -> float:
    """Floating-point operations a second of [rows, width] times [width, inner]."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    left, right = torch.ones(rows, width, dtype=dtype), torch.ones(width, inner, dtype=dtype)
    best, ends = float("inf"), time.perf_counter() + MEASURED_S
    while (start := time.perf_counter()) < ends:
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * rows * width * inner / best
