"""Log lines made for a test: what the function prints, with the numbers that the test wants."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from model.answers import AnswerCounts
from model.bundle import Task
from profiling.logs.entry import Record, read_entry
from profiling.logs.selection import Requests
from profiling.logs.source import Log, Window, gather
from profiling.logs.summary import RevisionSummary, by_revision

if TYPE_CHECKING:
    from model.answers import Prediction

BEGIN = datetime(2026, 11, 20, 8, tzinfo=UTC)


def line(
    duration_ms: float = 3.0,
    *,
    at_s: float = 0.0,
    revision: str = "r1",
    instance: str = "one",
    status: int = 200,
    cold: bool = False,
    spans: dict[str, tuple[float, float]] | None = None,
    **profile: Any,
) -> dict[str, Any]:
    """A line of `POST /`; `spans` are start and duration by name, besides `request`."""
    rows = {"request": (0.0, duration_ms), **(spans or {})}
    return {
        "time": (BEGIN + timedelta(seconds=at_s)).isoformat(),
        "severity": "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR",
        "message": f"POST / {status}",
        "profile": {
            "cold": cold,
            "route": "POST /",
            "status": status,
            "duration_ms": duration_ms,
            "spans": [
                {"name": name, "start_ms": start, "duration_ms": duration}
                for name, (start, duration) in rows.items()
            ],
            "sampled": True,
            "texts": 1,
            "tokens": 5,
            "rss_mb": 100.0,
            "bundle": "b@1",
            "revision": revision,
            "instance": {"id": instance, "age_s": at_s, "requests": 1},
            **profile,
        },
    }


def answer_counts(
    *texts: dict[str, str | list[str]], score: float = 0.95, pieces: int = 4, unknown: int = 0
) -> dict[str, Any]:
    """`answers` of a line: a task's label of each text, or its list of them, all of one score."""
    counts = AnswerCounts()
    labels = {
        task: [[name] if isinstance(name, str) else name for name in column]
        for task in texts[0]
        for column in [[text[task] for text in texts]]
    }
    for task, of_task in labels.items():
        kind = "single" if isinstance(texts[0][task], str) else "multi"
        names = tuple({name for of_text in of_task for name in of_text})
        predictions: list[Prediction] = [
            {task: [{"label": name, "score": score} for name in of_text]} for of_text in of_task
        ]
        counts.add([Task(task, kind, names, 0)], predictions)
    rows = [[1, *[7] * (pieces - unknown), *[9] * unknown, 2] for _ in texts]
    counts.add_pieces(rows, unknown_id=9)
    return dict(counts.field())


def record(duration_ms: float = 3.0, **fields: Any) -> Record:
    entry = read_entry(line(duration_ms, **fields))
    assert isinstance(entry, Record)
    return entry


def log_of(entries: Iterable[dict[str, Any]]) -> Log:
    return gather(entries, Window())


def requests_of(entries: Iterable[dict[str, Any]]) -> Requests:
    return log_of(entries).requests


def summary_of(entries: Iterable[dict[str, Any]]) -> RevisionSummary:
    """The summary of the one revision."""
    (summary,) = by_revision(log_of(entries))
    return summary
