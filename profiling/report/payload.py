"""How many bytes travel, and is the time spent on them or on the answer?

Bodies are measured plain and gzip. On this machine's loopback a byte costs next to nothing, so
the time that a slower line would need is worked out from the bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiling.report.bench import Bench, percentiles
from profiling.report.load.plan import Outcome

SIZES = (64, 1, 16)
"""The first ones only, when time is short."""
RUN_S = 2.2
LINE_MBIT = 10.0


def measure(bench: Bench, seconds: float) -> dict[str, Any]:
    count = min(max(int(seconds / RUN_S / 2), 1), len(SIZES))
    rows = []
    for size in sorted(SIZES[:count]):
        for packed in (False, True):
            name = f"payload {size}{' gzip' if packed else ''}"
            outcome = bench.load(name, seconds / count / 2, batch=size, gzip=packed)
            rows.append({"texts": size, "gzip": packed, **_row(outcome)})
    return {"line_mbit": LINE_MBIT, "rows": rows}


def _row(outcome: Outcome) -> dict[str, Any]:
    compute_ms = percentiles(outcome.spans_ms("request"))["p50_ms"]
    whole_ms = percentiles(outcome.latency_ms)["p50_ms"]
    sizes = [np.asarray(column) for column in (outcome.request_bytes, outcome.response_bytes)]
    request, response = (float(np.mean(size[outcome.good])) if size.size else 0.0 for size in sizes)
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
