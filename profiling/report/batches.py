"""What does a text cost in a request of many? On the server, and in the client that packs it."""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.report.bench import Bench, summary

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
FEW_SIZES = (1, 32)
SHORTEST_S = 2.5


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    """Milliseconds per text by texts per request: one caller, one request after another."""
    sizes = SIZES if seconds / len(SIZES) >= SHORTEST_S else FEW_SIZES
    rows = []
    for size in sizes:
        outcome = bench.load(f"batch {size}", seconds / len(sizes), batch=size)
        found = summary(outcome)
        client_ms = 1000 * outcome.client_cpu_s / max(len(outcome.done) * size, 1)
        rows.append(
            {
                "texts": size,
                "requests": found["samples"],
                "p50_ms": found["p50_ms"],
                "texts_per_s": round(found["throughput"] * size, 1),
                "server_ms_per_text": _per_text(found["server_p50_ms"], size),
                "encode_ms_per_text": _per_text(_median(outcome.encode_ms), size),
                "decode_ms_per_text": _per_text(_median(outcome.decode_ms), size),
                "client_cpu_ms_per_text": round(client_ms, 4),
                "errors": found["errors"],
            }
        )
    best = max(rows, key=lambda row: float(row["texts_per_s"] or 0))
    return {"rows": rows, "best": best["texts"]}


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _per_text(milliseconds: float | None, texts: int) -> float | None:
    return None if milliseconds is None else round(milliseconds / texts, 4)
