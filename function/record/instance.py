"""The instance that answered: its id, its age and the number of its requests."""

from __future__ import annotations

import itertools
import os

from profiling.timer import startup


class Instance:
    """This process. Made before the server forks, so its id carries the worker's number."""

    def __init__(self) -> None:
        self._server = os.urandom(4).hex()
        self._requests = itertools.count(1)

    def describe(self) -> dict[str, str | float]:
        """The instance in a log line; each call counts as one request."""
        return {
            "id": f"{self._server}-{os.getpid()}",
            "age_s": round(startup.age_s, 3),
            "requests": next(self._requests),
        }
