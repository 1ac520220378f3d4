"""The real function in a process of its own, for any test that needs one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from profiling.server import FROM_IMAGE, FROM_SOURCE, LOGGED_S, ROOT, Answer, Server

__all__ = ["ROOT", "WAYS", "Answer", "Server", "StrictServer", "serving"]

WAYS = {"image": FROM_IMAGE, "source": FROM_SOURCE}
"""Both ways in which the function is started: by the image, and deployed from source."""


class StrictServer(Server):
    """Fails where its log holds anything but JSON objects."""

    def lines(self, since: int = 0) -> list[dict[str, Any]]:
        time.sleep(LOGGED_S)
        text = self.log.read_bytes()[since:].decode("utf-8")
        entries = [json.loads(line) for line in text.splitlines()]
        assert all(isinstance(entry, dict) for entry in entries)
        return entries


@contextmanager
def serving(
    bundle: Path, log: Path, way: str = "source", **settings: Any
) -> Iterator[StrictServer]:
    """A server that listens; it loads its bundle when it does by itself. Ended afterwards."""
    server = StrictServer(bundle, log, **{"command": WAYS[way], **settings})
    try:
        server.wait_until_listening()
        yield server
    finally:
        server.stop()
