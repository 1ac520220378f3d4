"""What does a text cost in a request of many? On the server, and in the client that packs it."""

from __future__ import annotations

from typing import Any

from profiling.report.harness import Harness, percentiles, run_summary

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
FEW_SIZES = (1, 32)
"""Used when a run of each size would take less than MIN_RUN_S."""
MIN_RUN_S = 2.5


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """Milliseconds per text by texts per request: one caller, one request after another."""
    sizes = SIZES if seconds / len(SIZES) >= MIN_RUN_S else FEW_SIZES
    rows = []
    for size in sizes:
        outcome = harness.load(f"batch {size}", seconds / len(sizes), batch=size)
        summary = run_summary(outcome)
        client_ms = 1000 * outcome.client_cpu_s / max(len(outcome.done) * size, 1)
        rows.append(
            {
                "texts": size,
                "requests": summary["samples"],
                "p50_ms": summary["p50_ms"],
                "texts_per_s": round(summary["throughput"] * size, 1),
                "server_ms_per_text": _per_text(summary["server_p50_ms"], size),
                "encode_ms_per_text": _per_text(percentiles(outcome.encode_ms)["p50_ms"], size),
                "decode_ms_per_text": _per_text(percentiles(outcome.decode_ms)["p50_ms"], size),
                "client_cpu_ms_per_text": round(client_ms, 4),
                "errors": summary["errors"],
            }
        )
    best = max(rows, key=lambda row: float(row["texts_per_s"]))
    return {"rows": rows, "best": best["texts"]}


def _per_text(milliseconds: float | None, texts: int) -> float | None:
    return None if milliseconds is None else round(milliseconds / texts, 4)
