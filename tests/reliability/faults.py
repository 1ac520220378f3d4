"""Which faults, at which moments? Drawn from a seed: each stage and each write is hit."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

KILL, FULL = "kill", "full disk"
KINDS = (KILL, FULL)


@dataclass(frozen=True)
class Moment:
    """What has to happen before the fault: the program prints a line, then a path appears."""

    what: str
    """For the record: `teacher`, `checkpoint 3 of teacher`."""
    line: str = ""
    """How the line begins; empty: no line is waited for."""
    folder: str = ""
    name: str = ""
    """A pattern of the path in `folder`, which is relative to the disk's; empty: no path is."""
    most_s: float = 0.0
    """A kill comes up to so much later."""
    most_bytes: int = 0
    """A full disk has room for up to so much more."""
    stage: str = ""
    """The stage that must not have finished before."""
    step: int = 0
    """The checkpoint that must not have been written before."""


@dataclass(frozen=True)
class Fault:
    kind: str
    moment: Moment
    after_s: float = 0.0
    room: int = 0


def drawn(moments: list[Moment], random: Random) -> list[Fault]:
    """A kill and a full disk at each moment, in the moments' order."""
    return [
        Fault(KILL, moment, after_s=random.uniform(0, moment.most_s))
        if kind == KILL
        else Fault(FULL, moment, room=random.randint(0, moment.most_bytes))
        for moment in moments
        for kind in KINDS
    ]
