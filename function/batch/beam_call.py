"""What the command `beam` is called with; declared where Beam itself need not be installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LOCAL_RUNNER = "FnApiRunner"
"""Beam's runner in this process and its children. `DirectRunner` takes it only where it cannot
download another."""


@dataclass(frozen=True)
class BeamJob:
    """One call of the command."""

    source: str
    target: str
    bundle: str
    beam_options: Sequence[str] = ()
    """Of the runner and of Google Cloud, as Beam takes them."""
    text: str = "text"
    tasks: list[str] | None = None
    top_k: int = 1
    force: bool = False
    runner: str = LOCAL_RUNNER
    workers: int = 1
    """Processes of the local runner."""
    threads: int = 1
