"""What does a request of many texts cost: in time on the server and the client, and in bytes?

On this machine's loopback a byte costs next to nothing, so the time on a slower line is computed
from the bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.report.harness import Harness, percentile_ms, run_summary
from profiling.report.load.plan import Outcome

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
FEW_SIZES = (1, 32)
"""Used when a run of each size would take less than MIN_RUN_S."""
MIN_RUN_S = 2.5
PAYLOAD_SIZES = (64, 1, 16)
"""The first ones only, when there is less than PAYLOAD_RUN_S for each run."""
PAYLOAD_RUN_S = 2.2
LINE_MBIT = 10.0


def measure_batches(harness: Harness, seconds: float) -> dict[str, Any]:
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
                "encode_ms_per_text": _per_text(percentile_ms(outcome.encode_ms, 50), size),
                "decode_ms_per_text": _per_text(percentile_ms(outcome.decode_ms, 50), size),
                "client_cpu_ms_per_text": round(client_ms, 4),
                "errors": summary["errors"],
            }
        )
    best = max(rows, key=lambda row: float(row["texts_per_s"]))
    return {"rows": rows, "best": best["texts"]}


def measure_payload(harness: Harness, seconds: float) -> dict[str, Any]:
    """Bytes and milliseconds of plain and gzip requests, by texts per request."""
    count = min(max(int(seconds / PAYLOAD_RUN_S / 2), 1), len(PAYLOAD_SIZES))
    rows = []
    for size in sorted(PAYLOAD_SIZES[:count]):
        for gzip in (False, True):
            name = f"payload {size}{' gzip' if gzip else ''}"
            outcome = harness.load(name, seconds / count / 2, batch=size, gzip=gzip)
            rows.append({"texts": size, "gzip": gzip, **_travel(outcome)})
    return {"line_mbit": LINE_MBIT, "rows": rows}


def _per_text(milliseconds: float | None, texts: int) -> float | None:
    return None if milliseconds is None else round(milliseconds / texts, 4)


def _travel(outcome: Outcome) -> dict[str, Any]:
    """Mean bytes of a request and its response, and medians of its time; None without answers."""
    compute_ms = percentile_ms(outcome.spans_ms("request"), 50)
    whole_ms = percentile_ms(outcome.latency_ms, 50)
    request, response = (
        float(np.mean(np.asarray(sizes)[outcome.good])) if outcome.good.any() else 0.0
        for sizes in (outcome.request_bytes, outcome.response_bytes)
    )
    return {
        "request_bytes": round(request),
        "response_bytes": round(response),
        "whole_ms": whole_ms,
        "compute_ms": compute_ms,
        "travel_ms": round(whole_ms - compute_ms, 3) if whole_ms and compute_ms else None,
        "line_ms": round((request + response) * 8 / LINE_MBIT / 1000, 3),
    }
