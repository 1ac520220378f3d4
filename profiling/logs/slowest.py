"""The few slowest predictions of each revision, with all that their lines say."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from profiling.logs.entry import PREDICT, Record

MOST = 5
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Slowest:
    """Of the predictions that were added; of equal ones, the first by their times."""

    def __init__(self) -> None:
        self._by_revision: dict[str, list[Record]] = defaultdict(list)

    def add(self, revision: str, record: Record) -> None:
        if not record.route.startswith(PREDICT):
            return
        slowest = self._by_revision[revision]
        if len(slowest) < MOST or record.duration_ms >= slowest[-1].duration_ms:
            slowest.append(record)
            slowest.sort(key=lambda record: (-record.duration_ms, record.time or EARLIEST))
            del slowest[MOST:]

    def of_revision(self, name: str) -> list[Record]:
        """At most MOST, the slowest first."""
        return self._by_revision.get(name, [])
