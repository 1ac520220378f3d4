"""What happened to each request? Listens to Locust's request event and keeps every sample."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from typing import Any

from profiling.report.load.plan import Outcome, Plan

RequestSample = dict[str, Any]
"""The columns that a request came to, and the `encoding` and `body` of its response."""
COLUMNS: dict[str, Any] = {
    "due": -1.0, "sent": -1.0, "first_byte": -1.0, "done": -1.0, "status": 0, "question": 0,
    "request_bytes": 0, "response_bytes": 0, "encode_ms": 0.0, "decode_ms": 0.0, "server": "",
    "answers": None,
}  # fmt: skip
"""Each column of an Outcome, and its value for requests that never came to it."""


class Recorder:
    """Samples of one run. Requests that were due during the warm-up are left out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._samples: list[RequestSample] = []
        self._cpu_s_at_begin = 0.0
        self._cpu_s_at_end = 0.0

    def begin(self) -> None:
        """The warm-up is over."""
        self._cpu_s_at_begin = time.process_time()

    def listen(self, context: RequestSample, exception: Exception | None, **_: Any) -> None:
        """Note one request, and read its answer as any client would."""
        if exception is not None:
            context["fault"] = type(exception).__name__, str(exception)
        elif context["status"] != 200:
            context["fault"] = _error_of(context["status"], context["body"])
        else:
            began_s = time.perf_counter()
            body = context.pop("body")
            answer = json.loads(gzip.decompress(body) if context["encoding"] == "gzip" else body)
            context["decode_ms"] = round(1000 * (time.perf_counter() - began_s), 4)
            context["response_bytes"] = len(body)
            if self._plan.keep_answers:
                context["answers"] = answer
        self._cpu_s_at_end = time.process_time()
        self._samples.append(context)

    def outcome(self, unsent: int) -> Outcome:
        warmup_ms = 1000 * self._plan.warmup_s
        recorded = [sample for sample in self._samples if sample["due"] >= warmup_ms]
        columns = {
            name: [sample.get(name, missing) for sample in recorded]
            for name, missing in COLUMNS.items()
        }
        faults = [sample["fault"] for sample in recorded if "fault" in sample]
        return Outcome(
            **columns,
            faults=Counter(name for name, _ in faults),
            messages=dict(reversed(faults)),  # the first of each
            window_s=round((max(columns["done"], default=warmup_ms) - warmup_ms) / 1000, 6),
            client_cpu_s=round(self._cpu_s_at_end - self._cpu_s_at_begin, 6),
            requests=len(self._samples),
            unsent=unsent,
        )


def _error_of(status: int, body: bytes) -> tuple[str, str]:
    """Name and message of an error response, as the function's contract has them if it does."""
    try:
        error = json.loads(body)["error"]
        return f"{status} {error['code']}", error["message"]
    except (ValueError, KeyError, TypeError):
        return str(status), body[:200].decode("utf-8", "replace")
