"""What happened to each request? Listens to Locust's request event and keeps every sample."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

from profiling.report.load.plan import Outcome, Plan
from profiling.report.load.users import Replay


class Recorder:
    """Samples of one run. Those due before `begin` are warm-up and left out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._samples: list[tuple[dict[str, Any], Exception | None]] = []
        self._began_cpu_s = 0.0
        self._last_cpu_s = 0.0

    def begin(self) -> None:
        self._began_cpu_s = time.process_time()

    def listen(self, context: dict[str, Any], exception: Exception | None, **_: Any) -> None:
        """Note one request, and read its answer as any client would."""
        if context.get("status") == 200:
            began_s = time.perf_counter()
            body = context["body"]
            answer = json.loads(gzip.decompress(body) if context["encoding"] == "gzip" else body)
            context["decode_ms"] = 1000 * (time.perf_counter() - began_s)
            context["response_bytes"] = len(context.pop("body"))
            if self._plan.keep_answers:
                context["answer"] = answer
        self._last_cpu_s = time.process_time()
        self._samples.append((context, exception))

    def outcome(self, replay: Replay) -> Outcome:
        from_s = replay.start_s + self._plan.warmup_s
        kept = [pair for pair in self._samples if pair[0]["due_s"] >= from_s]
        columns: dict[str, Any] = {
            name: [round(1000 * (sample.get(f"{name}_s", 0.0) - replay.start_s), 3)
                   if f"{name}_s" in sample else -1.0 for sample, _ in kept]
            for name in ("due", "sent", "first_byte", "done")
        }  # fmt: skip
        faults, messages = _faults(kept)
        last_s = max((sample["done_s"] for sample, _ in kept), default=from_s)
        return Outcome(
            **columns,
            status=[sample.get("status", 0) for sample, _ in kept],
            question=[sample["question"] for sample, _ in kept],
            request_bytes=[sample["request_bytes"] for sample, _ in kept],
            response_bytes=[sample.get("response_bytes", 0) for sample, _ in kept],
            encode_ms=[round(sample["encode_ms"], 4) for sample, _ in kept],
            decode_ms=[round(sample.get("decode_ms", 0.0), 4) for sample, _ in kept],
            server=[sample.get("server", "") for sample, _ in kept],
            answers=[sample.get("answer") for sample, _ in kept] if self._plan.keep_answers else [],
            faults=faults,
            messages=messages,
            window_s=round(last_s - from_s, 6),
            client_cpu_s=round(self._last_cpu_s - self._began_cpu_s, 6),
            requests=len(self._samples),
            unsent=len(replay.arrivals),
        )


def _faults(
    pairs: list[tuple[dict[str, Any], Exception | None]],
) -> tuple[dict[str, int], dict[str, str]]:
    """How often each fault occurred, and the message of its first case."""
    counts: dict[str, int] = {}
    messages: dict[str, str] = {}
    for sample, error in pairs:
        if error is not None:
            name, message = type(error).__name__, str(error)
        elif sample["status"] != 200:
            name, message = _told(sample["status"], sample["body"])
        else:
            continue
        counts[name] = counts.get(name, 0) + 1
        messages.setdefault(name, message)
    return counts, messages


def _told(status: int, body: bytes) -> tuple[str, str]:
    try:
        error = json.loads(body)["error"]
        return f"{status} {error['code']}", error["message"]
    except (ValueError, KeyError, TypeError):
        return str(status), body[:200].decode("utf-8", "replace")
