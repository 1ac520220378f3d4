"""How many bytes travel, and is the time spent on them or on the answer?

Bodies are measured plain and gzip. On this machine's loopback a byte costs next to nothing, so
the time on a slower line is computed from the bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.report.harness import Harness, percentiles
from profiling.report.load.plan import Outcome

SIZES = (64, 1, 16)
"""The first ones only, when time is short."""
RUN_S = 2.2
LINE_MBIT = 10.0


def measure(harness: Harness, seconds: float) -> dict[str, Any]:
    """Bytes and milliseconds of plain and gzip requests, by texts per request."""
    count = min(max(int(seconds / RUN_S / 2), 1), len(SIZES))
    rows = []
    for size in sorted(SIZES[:count]):
        for gzip in (False, True):
            name = f"payload {size}{' gzip' if gzip else ''}"
            outcome = harness.load(name, seconds / count / 2, batch=size, gzip=gzip)
            rows.append({"texts": size, "gzip": gzip, **_row(outcome)})
    return {"line_mbit": LINE_MBIT, "rows": rows}


def _row(outcome: Outcome) -> dict[str, Any]:
    compute_ms = percentiles(outcome.spans_ms("request"))["p50_ms"]
    whole_ms = percentiles(outcome.latency_ms)["p50_ms"]
    request, response = (
        float(np.mean(np.asarray(sizes)[outcome.good])) if outcome.good.any() else 0.0
        for sizes in (outcome.request_bytes, outcome.response_bytes)
    )
    return {
        "request_bytes": round(request),
        "response_bytes": round(response),
        "whole_ms": whole_ms,
        "compute_ms": compute_ms,
        "travel_ms": None
        if whole_ms is None or compute_ms is None
        else round(whole_ms - compute_ms, 3),
        "line_ms": round((request + response) * 8 / LINE_MBIT / 1000, 3),
    }
