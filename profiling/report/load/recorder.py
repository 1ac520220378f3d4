"""What happened to each request? Listens to Locust's request event and keeps every sample."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

from profiling.report.load.plan import Outcome, Plan
from profiling.report.load.users import Schedule

RequestSample = dict[str, Any]


class Recorder:
    """Samples of one run. Requests that were due during the warm-up are left out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._samples: list[tuple[RequestSample, Exception | None]] = []
        self._cpu_s_at_begin = 0.0
        self._cpu_s_at_end = 0.0

    def begin(self) -> None:
        """The warm-up is over."""
        self._cpu_s_at_begin = time.process_time()

    def listen(self, context: RequestSample, exception: Exception | None, **_: Any) -> None:
        """Note one request, and read its answer as any client would."""
        if context.get("status") == 200:
            began_s = time.perf_counter()
            body = context["body"]
            answer = json.loads(gzip.decompress(body) if context["encoding"] == "gzip" else body)
            context["decode_ms"] = 1000 * (time.perf_counter() - began_s)
            context["response_bytes"] = len(context.pop("body"))
            if self._plan.keep_answers:
                context["answer"] = answer
        self._cpu_s_at_end = time.process_time()
        self._samples.append((context, exception))

    def outcome(self, schedule: Schedule) -> Outcome:
        begin_s = schedule.start_s + self._plan.warmup_s
        recorded = [pair for pair in self._samples if pair[0]["due_s"] >= begin_s]
        samples = [sample for sample, _ in recorded]
        faults, messages = _faults(recorded)

        def moments(name: str) -> list[float]:
            """Milliseconds since the start; -1 where it never came to that."""
            return [
                round(1000 * (sample[name] - schedule.start_s), 3) if name in sample else -1.0
                for sample in samples
            ]

        return Outcome(
            due=moments("due_s"),
            sent=moments("sent_s"),
            first_byte=moments("first_byte_s"),
            done=moments("done_s"),
            status=[sample.get("status", 0) for sample in samples],
            question=[sample["question"] for sample in samples],
            request_bytes=[sample["request_bytes"] for sample in samples],
            response_bytes=[sample.get("response_bytes", 0) for sample in samples],
            encode_ms=[round(sample["encode_ms"], 4) for sample in samples],
            decode_ms=[round(sample.get("decode_ms", 0.0), 4) for sample in samples],
            server=[sample.get("server", "") for sample in samples],
            answers=[s.get("answer") for s in samples] if self._plan.keep_answers else [],
            faults=faults,
            messages=messages,
            window_s=round(max((s["done_s"] for s in samples), default=begin_s) - begin_s, 6),
            client_cpu_s=round(self._cpu_s_at_end - self._cpu_s_at_begin, 6),
            requests=len(self._samples),
            unsent=len(schedule.arrivals),
        )


def _faults(
    pairs: list[tuple[RequestSample, Exception | None]],
) -> tuple[dict[str, int], dict[str, str]]:
    """How often each fault occurred, and the message of its first case."""
    counts: dict[str, int] = {}
    messages: dict[str, str] = {}
    for sample, error in pairs:
        if error is not None:
            name, message = type(error).__name__, str(error)
        elif sample["status"] != 200:
            name, message = _error_of(sample["status"], sample["body"])
        else:
            continue
        counts[name] = counts.get(name, 0) + 1
        messages.setdefault(name, message)
    return counts, messages


def _error_of(status: int, body: bytes) -> tuple[str, str]:
    """Name and message of an error response, as the function's contract has them if it does."""
    try:
        error = json.loads(body)["error"]
        return f"{status} {error['code']}", error["message"]
    except (ValueError, KeyError, TypeError):
        return str(status), body[:200].decode("utf-8", "replace")
